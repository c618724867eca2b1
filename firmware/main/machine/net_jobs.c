#include "net_jobs.h"

#include <string.h>

#include "cJSON.h"
#include "certificate_choice.h"
#include "device_clock.h"
#include "enrolment.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "mqtt_link.h"
#include "prov_mailbox.h"
#include "sdkconfig.h"
#include "stack_marks.h"
#include "vitals.h"
#include "wifi_link.h"

#define QUEUE_LENGTH 12
#define STACK_SIZE 10240 /* a TLS handshake needs 8 KiB */
#define PRIORITY 4
#define FAREWELL_MS 1000 /* for the broker to acknowledge that the device goes */

static const char *TAG = "jobs";

typedef struct {
    net_job_kind_t kind;
    uint32_t id;
} job_t;

static QueueHandle_t s_queue;
static SemaphoreHandle_t s_left; /* given when the broker was left */

/** Of these events, CLOCK_FAILED alone is a failure. */
static void post_event(prov_event_id_t event, uint32_t job_id)
{
    prov_failure_t failure = event == PROV_EVENT_CLOCK_FAILED ? PROV_FAILURE_CLOCK_NOT_SET : PROV_FAILURE_NONE;
    prov_post(&(prov_msg_t){.event = event, .job_id = job_id, .failure = failure});
}

/** For a certificate, or for the successor of the one in use. */
static void ask_backend(bool for_renewal, uint32_t job_id)
{
    backend_result_t result = {.verdict = BACKEND_VERDICT_RETRY, .failure = PROV_FAILURE_STORAGE_FAILED};
    prov_msg_t msg = {.job_id = job_id, .event = for_renewal ? PROV_EVENT_RENEW_FAILED : PROV_EVENT_ENROLLED};
    if (for_renewal) {
        enrolment_renew(&result);
    } else {
        enrolment_sign(&result);
    }
    msg.failure = result.failure;
    memcpy(msg.detail, result.detail, sizeof msg.detail);
    if (result.verdict == BACKEND_VERDICT_OK) {
        msg.kind = for_renewal ? PROV_MSG_RENEWED : PROV_MSG_EVENT;
        msg.certificate = result.certificate;
    } else if (!for_renewal) {
        msg.kind = PROV_MSG_BACKEND_FAILED;
        msg.verdict = (int)result.verdict;
    }
    if (!prov_post(&msg)) {
        prov_msg_release(&msg);
    }
}

static void mqtt_start(bool prefers_old, uint32_t job_id)
{
    certificate_t certificate;
    prov_msg_t chosen = {.kind = PROV_MSG_CERTIFICATE, .job_id = job_id};
    if (!certificate_choice_take(prefers_old, &certificate, &chosen.in_use)) {
        post_event(PROV_EVENT_CERT_NEEDED, job_id);
        return;
    }
    if (!prov_post(&chosen)) {
        certificate_free(&certificate); /* the outcome would be taken for another certificate's */
        return;
    }
    if (!mqtt_link_start(&certificate, job_id)) {
        prov_post(&(prov_msg_t){.kind = PROV_MSG_BROKER_FAILED,
                                .job_id = job_id,
                                .failure = PROV_FAILURE_BROKER_UNREACHABLE,
                                .detail = "the client does not start"});
    }
}

static void publish_status(uint32_t job_id)
{
    static uint32_t s_seq;
    prov_status_t status;
    prov_status_get(&status);
    if (status.state != PROV_STATE_MQTT_CONNECTING && status.state != PROV_STATE_MQTT_CONNECTED) {
        return; /* it changed while the job was waiting */
    }
    if (status.state == PROV_STATE_MQTT_CONNECTING) {
        /* What it says becomes true by being acknowledged. */
        status.state = PROV_STATE_MQTT_CONNECTED;
        status.mqtt_connects++;
    }
    status_vitals_t vitals = {.rssi = wifi_link_rssi(), .seq = ++s_seq};
    vitals_read(&vitals);
    char *json = status_report_mqtt(&status, &vitals);
    prov_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHING, .job_id = job_id}); /* before its acknowledgement can come */
    if (json == NULL || !mqtt_link_publish_status(json)) {
        ESP_LOGW(TAG, "the status message was not sent");
    }
    cJSON_free(json);
}

static void report(void)
{
    prov_status_t status;
    prov_status_get(&status);
    char *json = status_report_backend(&status);
    if (json != NULL) {
        enrolment_report(json);
    } else {
        ESP_LOGW(TAG, "no report to the backend: out of memory");
    }
    cJSON_free(json);
}

static void run(const job_t *job)
{
    switch (job->kind) {
    case NET_JOB_SYNC_CLOCK:
        post_event(device_clock_sync() ? PROV_EVENT_CLOCK_READY : PROV_EVENT_CLOCK_FAILED, job->id);
        break;
    case NET_JOB_CHECK_CERTIFICATE:
        post_event(certificate_choice_check(), job->id);
        break;
    case NET_JOB_SUBMIT_CSR:
    case NET_JOB_RENEW:
        ask_backend(job->kind == NET_JOB_RENEW, job->id);
        break;
    case NET_JOB_MQTT_START:
    case NET_JOB_MQTT_START_OLD:
        mqtt_start(job->kind == NET_JOB_MQTT_START_OLD, job->id);
        break;
    case NET_JOB_MQTT_STOP:
        mqtt_link_stop();
        break;
    case NET_JOB_MQTT_LEAVE:
        mqtt_link_leave(FAREWELL_MS);
        xSemaphoreGive(s_left);
        break;
    case NET_JOB_PUBLISH_STATUS:
        publish_status(job->id);
        break;
    case NET_JOB_REPORT:
        report();
        break;
    }
}

static void net_task(void *arg)
{
    (void)arg;
    job_t job;
    for (;;) {
        if (xQueueReceive(s_queue, &job, portMAX_DELAY) == pdTRUE) {
            run(&job);
            stack_marks_note(STACK_MARK_NET);
        }
    }
}

esp_err_t net_jobs_init(void)
{
    s_queue = xQueueCreate(QUEUE_LENGTH, sizeof(job_t));
    s_left = xSemaphoreCreateBinary();
    if (s_queue == NULL || s_left == NULL ||
        xTaskCreate(net_task, "prov_net", STACK_SIZE, NULL, PRIORITY, NULL) != pdPASS) {
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

void net_jobs_wait_left(uint32_t timeout_ms)
{
    (void)xSemaphoreTake(s_left, pdMS_TO_TICKS(timeout_ms));
}

bool net_jobs_submit(net_job_kind_t kind, uint32_t job_id)
{
    const job_t job = {.kind = kind, .id = job_id};
    if (kind == NET_JOB_MQTT_LEAVE) {
        (void)xSemaphoreTake(s_left, 0); /* of one that nobody waited for */
    }
    bool queued = xQueueSend(s_queue, &job, 0) == pdTRUE;
    if (!queued) {
        ESP_LOGW(TAG, "the network task is too busy");
    }
    return queued;
}
