/* The status as JSON text: for GET /status, for MQTT, and for the report to the backend. */
#pragma once

#include <stdint.h>

#include "prov_status.h"
#include "stack_marks.h"

/** Values that change between two messages of one state. */
typedef struct {
    int rssi; /* dBm; 0 = not associated */
    uint32_t uptime_s;
    uint32_t heap_free; /* bytes */
    uint32_t heap_min;  /* the least since boot, bytes */
    uint32_t stack_min[STACK_MARK_COUNT]; /* what each task has never used of its stack, bytes; 0: not known */
    const char *reset_reason;
    uint32_t seq;       /* counts status messages since boot */
} status_vitals_t;

/** "connected", "provisioning" or "disconnected". */
const char *status_word(const prov_status_t *status);

/* Each returns heap text that the caller frees with cJSON_free(), or NULL when out of memory. */
char *status_report_http(const prov_status_t *status);
char *status_report_mqtt(const prov_status_t *status, const status_vitals_t *vitals);
char *status_report_offline(void);
char *status_report_backend(const prov_status_t *status);
