#include "net_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend_client.h"
#include "cJSON.h"
#include "certificate_check.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "mqtt_link.h"
#include "prov_event.h"
#include "sdkconfig.h"
#include "status_report.h"
#include "wifi_link.h"

#define QUEUE_LENGTH 12
#define STACK_SIZE 10240 /* a TLS handshake needs 8 KiB */
#define PRIORITY 4

static const char *TAG = "jobs";

typedef struct {
    net_job_kind_t kind;
    uint32_t id;
} job_t;

static QueueHandle_t s_queue;
/* Why the stored certificate cannot be used; reported when there is no token to get a new one. */
static certificate_verdict_t s_certificate_problem;

static void post_event(prov_event_id_t event, uint32_t job_id, prov_failure_t failure)
{
    prov_post(&(prov_msg_t){.event = event, .job_id = job_id, .failure = failure});
}

static certificate_verdict_t check(const certificate_t *certificate)
{
    const certificate_claim_t claim = {
        .certificate_pem = certificate->certificate_pem,
        .ca_pem = certificate->ca_pem,
        .key_pem = device_identity_key_pem(),
        .device_id = device_identity_id(),
        .now = device_clock_now(),
    };
    return certificate_check(&claim);
}

static void sync_clock(uint32_t job_id)
{
    if (device_clock_sync()) {
        post_event(PROV_EVENT_CLOCK_READY, job_id, PROV_FAILURE_NONE);
    } else {
        post_event(PROV_EVENT_CLOCK_FAILED, job_id, PROV_FAILURE_CLOCK_NOT_SET);
    }
}

static bool is_usable(certificate_slot_t slot)
{
    certificate_t certificate;
    if (device_store_load_certificate(slot, &certificate) != ESP_OK) {
        return false;
    }
    certificate_verdict_t verdict = check(&certificate);
    certificate_free(&certificate);
    if (verdict != CERTIFICATE_OK) {
        ESP_LOGW(TAG, "the stored certificate %s", certificate_verdict_text(verdict));
        s_certificate_problem = verdict;
    }
    return verdict == CERTIFICATE_OK;
}

static bool has_token(void)
{
    enrolment_t *enrol = calloc(1, sizeof *enrol);
    bool found = enrol != NULL && device_store_load_enrolment(enrol) == ESP_OK && enrol->token[0] != '\0';
    free(enrol);
    return found;
}

/*
 * A new certificate answers the token beside it. Without one, an unspent token asks for a new
 * certificate even when an old one works: that is what re-provisioning with a token means.
 */
static void check_certificate(uint32_t job_id)
{
    s_certificate_problem = CERTIFICATE_OK;
    bool ready = is_usable(CERTIFICATE_SLOT_NEW);
    if (!ready && s_certificate_problem != CERTIFICATE_OK) {
        device_store_drop_certificate(CERTIFICATE_SLOT_NEW);
    }
    if (!ready && !has_token()) {
        ready = is_usable(CERTIFICATE_SLOT_ACTIVE);
    }
    post_event(ready ? PROV_EVENT_CERT_READY : PROV_EVENT_CERT_NEEDED, job_id, PROV_FAILURE_NONE);
}

static void check_signed(backend_result_t *result)
{
    certificate_verdict_t verdict = check(&result->certificate);
    if (verdict != CERTIFICATE_OK) {
        certificate_free(&result->certificate);
        result->verdict = BACKEND_VERDICT_REJECTED;
        result->failure = PROV_FAILURE_CERTIFICATE_MISMATCH;
        snprintf(result->detail, sizeof result->detail, "it %s", certificate_verdict_text(verdict));
        ESP_LOGW(TAG, "the signed certificate %s", certificate_verdict_text(verdict));
    }
}

/** Without a token there is nothing to ask the backend with. */
static void explain_missing_token(backend_result_t *result)
{
    result->verdict = BACKEND_VERDICT_REJECTED;
    if (s_certificate_problem != CERTIFICATE_OK) {
        result->failure = PROV_FAILURE_CERTIFICATE_MISMATCH;
        snprintf(result->detail, sizeof result->detail, "it %s", certificate_verdict_text(s_certificate_problem));
    } else {
        result->failure = PROV_FAILURE_TOKEN_REJECTED;
        snprintf(result->detail, sizeof result->detail, "none is left, a new one is needed");
    }
}

static void submit_csr(uint32_t job_id)
{
    backend_result_t result = {.verdict = BACKEND_VERDICT_RETRY, .failure = PROV_FAILURE_STORAGE_FAILED};
    enrolment_t *enrol = calloc(1, sizeof *enrol);
    if (enrol != NULL) {
        (void)device_store_load_enrolment(enrol); /* without a record, the token stays "" */
        if (enrol->token[0] == '\0') {
            explain_missing_token(&result);
        } else {
            backend_client_sign_csr(enrol->token, &result);
        }
        memset(enrol, 0, sizeof *enrol);
        free(enrol);
    }
    if (result.verdict == BACKEND_VERDICT_OK) {
        check_signed(&result);
    }
    prov_msg_t msg = {.job_id = job_id, .failure = result.failure};
    memcpy(msg.detail, result.detail, sizeof msg.detail);
    if (result.verdict == BACKEND_VERDICT_OK) {
        msg.event = PROV_EVENT_ENROLLED;
        msg.certificate = result.certificate;
    } else {
        msg.kind = PROV_MSG_BACKEND_FAILED;
        msg.verdict = (int)result.verdict;
    }
    if (!prov_post(&msg)) {
        certificate_free(&result.certificate);
    }
}

static void mqtt_start(uint32_t job_id)
{
    certificate_t certificate;
    if (device_store_load_certificate(CERTIFICATE_SLOT_NEW, &certificate) != ESP_OK &&
        device_store_load_certificate(CERTIFICATE_SLOT_ACTIVE, &certificate) != ESP_OK) {
        post_event(PROV_EVENT_CERT_NEEDED, job_id, PROV_FAILURE_NONE);
        return;
    }
    if (!mqtt_link_start(&certificate, job_id)) {
        prov_post(&(prov_msg_t){.kind = PROV_MSG_BROKER_FAILED,
                                .job_id = job_id,
                                .failure = PROV_FAILURE_BROKER_UNREACHABLE,
                                .detail = "the client does not start"});
    }
}

static void publish_status(void)
{
    static uint32_t s_seq;
    prov_status_t status;
    prov_status_get(&status);
    if (status.state != PROV_STATE_MQTT_CONNECTED) {
        return; /* it changed while the job was waiting */
    }
    const status_vitals_t vitals = {
        .rssi = wifi_link_rssi(),
        .uptime_s = (uint32_t)(device_clock_uptime_ms() / 1000),
        .heap_free = esp_get_free_heap_size(),
        .seq = ++s_seq,
    };
    char *json = status_report_mqtt(&status, &vitals);
    if (json == NULL || !mqtt_link_publish_status(json)) {
        ESP_LOGW(TAG, "the status message was not sent");
    }
    cJSON_free(json);
}

static void report(void)
{
    enrolment_t *enrol = calloc(1, sizeof *enrol);
    if (enrol != NULL && device_store_load_enrolment(enrol) == ESP_OK && enrol->bearer[0] != '\0') {
        prov_status_t status;
        prov_status_get(&status);
        char *json = status_report_backend(&status);
        if (json != NULL) {
            backend_client_report(enrol->bearer, json);
        }
        cJSON_free(json);
    }
    if (enrol != NULL) {
        memset(enrol, 0, sizeof *enrol);
    }
    free(enrol);
}

static void run(const job_t *job)
{
    switch (job->kind) {
    case NET_JOB_SYNC_CLOCK:
        sync_clock(job->id);
        break;
    case NET_JOB_CHECK_CERTIFICATE:
        check_certificate(job->id);
        break;
    case NET_JOB_SUBMIT_CSR:
        submit_csr(job->id);
        break;
    case NET_JOB_MQTT_START:
        mqtt_start(job->id);
        break;
    case NET_JOB_MQTT_STOP:
        mqtt_link_stop();
        break;
    case NET_JOB_PUBLISH_STATUS:
        publish_status();
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
        }
    }
}

esp_err_t net_jobs_init(void)
{
    s_queue = xQueueCreate(QUEUE_LENGTH, sizeof(job_t));
    if (s_queue == NULL || xTaskCreate(net_task, "prov_net", STACK_SIZE, NULL, PRIORITY, NULL) != pdPASS) {
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

bool net_jobs_submit(net_job_kind_t kind, uint32_t job_id)
{
    const job_t job = {.kind = kind, .id = job_id};
    bool queued = xQueueSend(s_queue, &job, 0) == pdTRUE;
    if (!queued) {
        ESP_LOGW(TAG, "the network task is too busy");
    }
    return queued;
}
