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
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "mqtt_link.h"
#include "prov_mailbox.h"
#include "sdkconfig.h"
#include "secret_wipe.h"
#include "status_report.h"
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

/**
 * Loads the provisioning token, or else the Bearer, into a heap block of its own size; NULL when there is none. False
 * when out of memory.
 */
static bool load_secret(bool is_token, char **secret)
{
    enrolment_t *enrol = calloc(1, sizeof *enrol);
    bool loaded = enrol != NULL;
    *secret = NULL;
    if (loaded && device_store_load_enrolment(enrol) == ESP_OK) {
        const char *text = is_token ? enrol->token : enrol->bearer;
        size_t size = strlen(text) + 1;
        *secret = size > 1 ? malloc(size) : NULL;
        loaded = size == 1 || *secret != NULL;
        if (*secret != NULL) {
            memcpy(*secret, text, size);
        }
    }
    secret_free(enrol, sizeof *enrol);
    return loaded;
}

static bool has_token(void)
{
    char *token;
    (void)load_secret(true, &token);
    bool found = token != NULL;
    secret_free_text(token);
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
    if (!ready && s_certificate_problem != CERTIFICATE_OK && s_certificate_problem != CERTIFICATE_NOT_YET_VALID) {
        device_store_drop_certificate(CERTIFICATE_SLOT_NEW);
    }
    if (!ready && !has_token()) {
        ready = is_usable(CERTIFICATE_SLOT_ACTIVE);
    }
    if (!ready && s_certificate_problem == CERTIFICATE_NOT_YET_VALID) {
        /* It was valid when it was stored, so the fault is the clock's: a restored time can be old. */
        device_clock_distrust();
        post_event(PROV_EVENT_CLOCK_FAILED, job_id, PROV_FAILURE_CLOCK_NOT_SET);
        return;
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

/** Loads a certificate that has not expired; the caller frees it. Says when it is valid. */
static bool load_current(certificate_slot_t slot, certificate_t *certificate, certificate_in_use_t *in_use)
{
    if (device_store_load_certificate(slot, certificate) != ESP_OK) {
        return false;
    }
    bool parsed = certificate_validity(certificate->certificate_pem, &in_use->not_before, &in_use->not_after);
    if (parsed && in_use->not_after >= device_clock_now()) {
        return true;
    }
    s_certificate_problem = parsed ? CERTIFICATE_EXPIRED : CERTIFICATE_MALFORMED;
    certificate_free(certificate);
    return false;
}

/** A renewal has to last longer than what it replaces, or it would be asked for again and again. */
static bool lasts_longer(const certificate_t *next, const certificate_t *current)
{
    int64_t not_before;
    int64_t next_end;
    int64_t current_end;
    return certificate_validity(next->certificate_pem, &not_before, &next_end) &&
           certificate_validity(current->certificate_pem, &not_before, &current_end) && next_end > current_end;
}

static void ask_for_renewal(const certificate_t *current, backend_result_t *result)
{
    backend_client_renew(current, result);
    if (result->verdict == BACKEND_VERDICT_OK) {
        check_signed(result);
    }
    if (result->verdict == BACKEND_VERDICT_OK && !lasts_longer(&result->certificate, current)) {
        certificate_free(&result->certificate);
        result->verdict = BACKEND_VERDICT_RETRY;
        result->failure = PROV_FAILURE_BACKEND_BAD_RESPONSE;
        snprintf(result->detail, sizeof result->detail, "the new certificate ends no later");
    }
}

/** With the certificate that has worked, if there is one, as the provisioning token is spent. */
static void renew(uint32_t job_id)
{
    certificate_t current;
    certificate_in_use_t in_use;
    backend_result_t result = {.verdict = BACKEND_VERDICT_RETRY, .failure = PROV_FAILURE_STORAGE_FAILED};
    if (load_current(CERTIFICATE_SLOT_ACTIVE, &current, &in_use) ||
        load_current(CERTIFICATE_SLOT_NEW, &current, &in_use)) {
        ESP_LOGI(TAG, "renewing the certificate");
        ask_for_renewal(&current, &result);
        certificate_free(&current);
    }
    prov_msg_t msg = {.job_id = job_id, .failure = result.failure, .event = PROV_EVENT_RENEW_FAILED};
    memcpy(msg.detail, result.detail, sizeof msg.detail);
    if (result.verdict == BACKEND_VERDICT_OK) {
        msg.kind = PROV_MSG_RENEWED;
        msg.certificate = result.certificate;
    }
    if (!prov_post(&msg)) {
        certificate_free(&result.certificate);
    }
}

/** Without a token there is nothing to ask the backend with. */
static void explain_missing_token(backend_result_t *result)
{
    result->verdict = BACKEND_VERDICT_REJECTED;
    if (s_certificate_problem == CERTIFICATE_EXPIRED) {
        result->failure = PROV_FAILURE_CERTIFICATE_EXPIRED;
    } else if (s_certificate_problem != CERTIFICATE_OK) {
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
    char *token;
    bool loaded = load_secret(true, &token);
    if (token != NULL) {
        backend_client_sign_csr(token, &result);
    } else if (loaded) {
        explain_missing_token(&result);
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

/** The new certificate if there is one, else the one that has worked; with `prefers_old` the other way round. */
static bool choose_certificate(bool prefers_old, certificate_t *certificate, certificate_in_use_t *in_use)
{
    certificate_t active;
    certificate_in_use_t of_active = {0};
    bool has_active = load_current(CERTIFICATE_SLOT_ACTIVE, &active, &of_active);
    *in_use = (certificate_in_use_t){.is_new = true, .has_fallback = has_active};
    if (!(prefers_old && has_active) && load_current(CERTIFICATE_SLOT_NEW, certificate, in_use)) {
        if (has_active) {
            certificate_free(&active);
        }
        return true;
    }
    *in_use = of_active;
    *certificate = active;
    return has_active;
}

static void mqtt_start(bool prefers_old, uint32_t job_id)
{
    certificate_t certificate;
    prov_msg_t chosen = {.kind = PROV_MSG_CERTIFICATE, .job_id = job_id};
    if (!choose_certificate(prefers_old, &certificate, &chosen.in_use)) {
        post_event(PROV_EVENT_CERT_NEEDED, job_id, PROV_FAILURE_NONE);
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

/** Those that ESP-IDF 5.0 knows; later ones came with chips that 5.0 does not. */
static const char *reset_reason_name(esp_reset_reason_t reason)
{
    switch (reason) {
    case ESP_RST_POWERON:
        return "power_on";
    case ESP_RST_EXT:
        return "external";
    case ESP_RST_SW:
        return "software";
    case ESP_RST_PANIC:
        return "panic";
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return "watchdog";
    case ESP_RST_DEEPSLEEP:
        return "deep_sleep";
    case ESP_RST_BROWNOUT:
        return "brownout";
    default:
        return "other";
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
    const status_vitals_t vitals = {
        .rssi = wifi_link_rssi(),
        .uptime_s = (uint32_t)(device_clock_uptime_ms() / 1000),
        .heap_free = esp_get_free_heap_size(),
        .heap_min = esp_get_minimum_free_heap_size(),
        .reset_reason = reset_reason_name(esp_reset_reason()),
        .seq = ++s_seq,
    };
    char *json = status_report_mqtt(&status, &vitals);
    prov_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHING, .job_id = job_id}); /* before its acknowledgement can come */
    if (json == NULL || !mqtt_link_publish_status(json)) {
        ESP_LOGW(TAG, "the status message was not sent");
    }
    cJSON_free(json);
}

static void report(void)
{
    char *bearer;
    (void)load_secret(false, &bearer);
    if (bearer == NULL) {
        return;
    }
    prov_status_t status;
    prov_status_get(&status);
    char *json = status_report_backend(&status);
    if (json != NULL) {
        backend_client_report(bearer, json);
    } else {
        secret_free_text(bearer);
    }
    cJSON_free(json);
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
    case NET_JOB_RENEW:
        renew(job->id);
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
