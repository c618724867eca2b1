/* The network task: everything that blocks on the network runs there, one job after the other. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

typedef enum {
    NET_JOB_SYNC_CLOCK,        /* -> CLOCK_READY | CLOCK_FAILED */
    NET_JOB_CHECK_CERTIFICATE, /* -> CERT_READY | CERT_NEEDED | CLOCK_FAILED */
    NET_JOB_SUBMIT_CSR,        /* -> ENROLLED | BACKEND_FAILED */
    NET_JOB_MQTT_START,        /* -> CERTIFICATE, then what mqtt_link.h says; or CERT_NEEDED */
    NET_JOB_MQTT_START_OLD,    /* the same with the certificate that has worked, although there is a new one */
    NET_JOB_MQTT_STOP,
    NET_JOB_MQTT_LEAVE,        /* the same, and the broker hears that the device is offline */
    NET_JOB_PUBLISH_STATUS,
    NET_JOB_REPORT,
    NET_JOB_RENEW, /* -> RENEWED | RENEW_FAILED */
} net_job_kind_t;

esp_err_t net_jobs_init(void);

/** Queues a job; its outcome is posted with `job_id`. False when the queue is full. */
bool net_jobs_submit(net_job_kind_t kind, uint32_t job_id);

/** Waits until the last NET_JOB_MQTT_LEAVE is done, for `timeout_ms` at most. */
void net_jobs_wait_left(uint32_t timeout_ms);
