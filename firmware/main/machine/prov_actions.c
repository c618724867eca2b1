#include "prov_actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "captive_dns.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_log.h"
#include "esp_random.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "http_api.h"
#include "net_jobs.h"
#include "prov_certificates.h"
#include "sdkconfig.h"
#include "secret_wipe.h"
#include "wifi_link.h"

#define AP_RETRY_MS 5000
#define AP_STOP_GRACE_MS 500  /* for the last answer to leave */
#define RESET_GRACE_MS 500
#define DAY_MS (24u * 60 * 60 * 1000)
#define LEAVE_PATIENCE_MS 3000 /* for the broker to hear that the device goes, and a network task that is busy */

#ifdef CONFIG_PROV_WIFI_ALLOW_OPEN
#define OPEN_IS_ALLOWED true
#else
#define OPEN_IS_ALLOWED false
#endif

static const char *TAG = "prov";

static void start_timer(prov_context_t *c, prov_timer_t timer, uint32_t delay_ms)
{
    prov_timer_start(&c->timers, timer, device_clock_uptime_ms(), delay_ms);
}

void prov_actions_ap_start(prov_context_t *c)
{
    prov_timer_stop(&c->timers, PROV_TIMER_LINGER);
    prov_timer_stop(&c->timers, PROV_TIMER_AP_STOP);
    if (CONFIG_PROV_AP_WINDOW_S > 0) {
        start_timer(c, PROV_TIMER_WINDOW, CONFIG_PROV_AP_WINDOW_S * 1000u);
    }
    if (c->ap_up) {
        return;
    }
    /* The AP first: the server must be bound to its interface before it serves anybody. */
    if (wifi_link_ap_start() != ESP_OK || http_api_start() != ESP_OK) {
        (void)wifi_link_ap_stop();
        start_timer(c, PROV_TIMER_AP_RETRY, AP_RETRY_MS);
        return;
    }
    captive_dns_start();
    c->ap_up = true;
}

/**
 * Once for the trouble that it is in. Whoever is on the way to backend or broker can make them fail, and must not
 * open the AP of a device that has been online by it: only a denial by a broker that has proved who it is does.
 */
static void ap_offer(prov_context_t *c, const prov_msg_t *msg)
{
    bool is_denied = msg->kind == PROV_MSG_BROKER_FAILED && msg->is_denied;
    if (!c->ap_offered && (is_denied || !device_store_has_worked())) {
        c->ap_offered = true;
        prov_actions_ap_start(c);
    }
}

void prov_actions_ap_stop(prov_context_t *c)
{
    prov_timer_stop(&c->timers, PROV_TIMER_LINGER);
    prov_timer_stop(&c->timers, PROV_TIMER_AP_RETRY);
    prov_timer_stop(&c->timers, PROV_TIMER_WINDOW);
    if (c->ap_up) {
        captive_dns_stop();
        http_api_stop();
        if (wifi_link_ap_stop() == ESP_OK) {
            ESP_LOGI(TAG, "the AP is closed");
        }
        c->ap_up = false;
    }
}

static void abandon(prov_context_t *c)
{
    c->job_id = ++c->last_id;
    c->renewal_id = ++c->last_id;
    c->attempt_running = false;
    prov_timer_stop(&c->timers, PROV_TIMER_CONNECT);
    prov_timer_stop(&c->timers, PROV_TIMER_LINK);
    prov_timer_stop(&c->timers, PROV_TIMER_RETRY);
    prov_timer_stop(&c->timers, PROV_TIMER_LINGER);
    prov_timer_stop(&c->timers, PROV_TIMER_AP_STOP);
    prov_timer_stop(&c->timers, PROV_TIMER_RENEW);
    c->status.cert_not_after = 0;
    c->enrolled = false;
    c->tries_old = false;
    c->ap_offered = false;
    c->denials = 0;
    c->broker_failures = 0;
    memset(&c->judge, 0, sizeof c->judge);
}

void prov_actions_forget_failures(prov_context_t *c)
{
    c->wifi_backoff = (backoff_t){0};
    c->clock_backoff = (backoff_t){0};
    c->backend_backoff = (backoff_t){0};
    c->broker_backoff = (backoff_t){0};
}

/** In AP_MODE, only a device that has been online has anything to go back to. */
static void offline_begin(prov_context_t *c)
{
    bool may_come_back = c->status.state != PROV_STATE_AP_MODE ||
                         (c->status.certificate && device_store_load_wifi(&c->wifi) == ESP_OK);
    if (CONFIG_PROV_FALLBACK_AP_S > 0 && c->timers.due_ms[PROV_TIMER_OFFLINE] == 0 && may_come_back) {
        start_timer(c, PROV_TIMER_OFFLINE, CONFIG_PROV_FALLBACK_AP_S * 1000u);
    }
}

static void wifi_stop(prov_context_t *c)
{
    wifi_link_disconnect();
    c->status.ip = 0;
    c->status.wifi_connected = false;
}

/** Where the network is given up too, it has to last until the broker has heard that the device goes. */
static void mqtt_end(prov_context_t *c, uint32_t actions)
{
    bool leaves = (actions & PROV_DO_MQTT_LEAVE) != 0;
    bool queued = net_jobs_submit(leaves ? NET_JOB_MQTT_LEAVE : NET_JOB_MQTT_STOP, 0);
    if (queued && c->mqtt_open && (actions & PROV_DO_WIFI_STOP) != 0) {
        net_jobs_wait_left(LEAVE_PATIENCE_MS);
    }
    c->mqtt_open = false;
    c->job_id = ++c->last_id; /* what it says from now on, an acknowledgement that comes late, means nothing */
    prov_timer_stop(&c->timers, PROV_TIMER_STATUS);
    prov_timer_stop(&c->timers, PROV_TIMER_ACK);
}

/** A job whose result counts: results of earlier ones no longer do. */
static void submit(prov_context_t *c, net_job_kind_t kind)
{
    c->job_id = ++c->last_id;
    net_jobs_submit(kind, c->job_id);
    start_timer(c, PROV_TIMER_RETRY, PROV_JOB_WATCHDOG_MS);
}

static void note_error(prov_context_t *c, const prov_msg_t *msg)
{
    c->status.last_failure = msg->failure != PROV_FAILURE_NONE ? msg->failure : PROV_FAILURE_STORAGE_FAILED;
    memcpy(c->status.last_detail, msg->detail, sizeof c->status.last_detail);
    ESP_LOGW(TAG, "error %s %s", prov_failure_code(c->status.last_failure), msg->detail);
}

static void set_error(prov_context_t *c, const prov_msg_t *msg)
{
    note_error(c, msg);
    c->status.failure = c->status.last_failure;
    memcpy(c->status.detail, msg->detail, sizeof c->status.detail);
}

static void clear_error(prov_context_t *c)
{
    c->status.failure = PROV_FAILURE_NONE;
    c->status.detail[0] = '\0';
}

/** Takes over the newest credentials: the ones of a POST that has not proved itself come first. */
static prov_event_id_t load(prov_context_t *c)
{
    provisioning_t *pending = calloc(1, sizeof *pending);
    esp_err_t err = pending != NULL ? device_store_load_pending(pending, &c->pending_revision) : ESP_ERR_NO_MEM;
    prov_event_id_t found = PROV_EVENT_FOUND_PENDING;
    c->pending = err == ESP_OK;
    if (c->pending) {
        c->wifi = pending->wifi;
        memcpy(c->status.attempt_id, pending->enrol.attempt_id, sizeof c->status.attempt_id);
    } else if (err == ESP_ERR_NOT_FOUND && pending != NULL) {
        err = device_store_load_wifi(&c->wifi);
        found = err == ESP_OK ? PROV_EVENT_FOUND_PROVEN : PROV_EVENT_UNPROVISIONED;
        if (device_store_load_enrolment(&pending->enrol) == ESP_OK) {
            memcpy(c->status.attempt_id, pending->enrol.attempt_id, sizeof c->status.attempt_id);
        }
    }
    secret_free(pending, sizeof *pending);
    return err == ESP_OK || err == ESP_ERR_NOT_FOUND ? found : PROV_EVENT_STORAGE_FAILED;
}

static void load_credentials(prov_context_t *c)
{
    prov_event_id_t found = load(c);
    prov_post(&(prov_msg_t){.event = found, .failure = PROV_FAILURE_STORAGE_FAILED});
}

static bool connect_soon(prov_context_t *c)
{
    if (load(c) != PROV_EVENT_FOUND_PENDING) {
        return false;
    }
    start_timer(c, PROV_TIMER_CONNECT, CONFIG_PROV_CONNECT_DELAY_MS);
    return true;
}

static void connect_backoff(prov_context_t *c)
{
    /* New credentials have someone waiting for a verdict: no growing delay for them. */
    uint32_t failures = c->pending ? 1 : c->wifi_backoff.failures;
    uint32_t delay_ms =
        backoff_delay_ms(failures, CONFIG_PROV_RECONNECT_MIN_MS, CONFIG_PROV_RECONNECT_MAX_MS, esp_random());
    start_timer(c, PROV_TIMER_CONNECT, delay_ms);
}

static void connect_now(prov_context_t *c)
{
    c->attempt_running = true;
    ssid_digest(device_identity_id(), c->wifi.ssid, c->status.ssid_digest);
    ESP_LOGI(TAG, "joining the network %s", c->status.ssid_digest);
    if (c->wifi.password[0] == '\0' && !OPEN_IS_ALLOWED) {
        prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = WIFI_REASON_OPEN});
    } else if (wifi_link_connect(&c->wifi) == ESP_OK) {
        start_timer(c, PROV_TIMER_LINK, CONFIG_PROV_WIFI_CONNECT_TIMEOUT_MS);
    } else {
        prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = WIFI_REASON_NOT_STARTED});
    }
}

static uint32_t retry_delay_ms(const prov_context_t *c)
{
    switch (c->status.state) {
    case PROV_STATE_SUBMIT_CSR:
        /* Stuck, it is asked at the slowest pace only: nobody expects it to answer soon. */
        return backoff_delay_ms(c->backend_backoff.failures,
                                c->status.failure != PROV_FAILURE_NONE ? CONFIG_PROV_BACKEND_RETRY_MAX_MS / 2
                                                                       : CONFIG_PROV_BACKEND_RETRY_MIN_MS,
                                CONFIG_PROV_BACKEND_RETRY_MAX_MS, esp_random());
    case PROV_STATE_MQTT_CONNECTING:
        return backoff_delay_ms(c->broker_backoff.failures, CONFIG_PROV_MQTT_RECONNECT_MIN_MS,
                                CONFIG_PROV_MQTT_RECONNECT_MAX_MS, esp_random());
    default:
        return backoff_delay_ms(c->clock_backoff.failures, CONFIG_PROV_RECONNECT_MIN_MS, CONFIG_PROV_RECONNECT_MAX_MS,
                                esp_random());
    }
}

static void retry_backoff(prov_context_t *c)
{
    start_timer(c, PROV_TIMER_RETRY, retry_delay_ms(c));
}

static void save_clock(prov_context_t *c)
{
    device_clock_save();
    start_timer(c, PROV_TIMER_CLOCK, DAY_MS);
}

static void report(prov_context_t *c)
{
    if (c->report_due && sizeof CONFIG_PROV_REPORT_PATH > 1) {
        net_jobs_submit(NET_JOB_REPORT, c->job_id);
    }
    c->report_due = false;
}

/** The job reads the published snapshot, which the runner updates before it runs this. */
static void publish_status(prov_context_t *c)
{
    c->mqtt_open = true;
    net_jobs_submit(NET_JOB_PUBLISH_STATUS, c->job_id);
    start_timer(c, PROV_TIMER_STATUS, CONFIG_PROV_MQTT_STATUS_INTERVAL_S * 1000u);
}

static void factory_reset(prov_context_t *c, const prov_msg_t *msg)
{
    ESP_LOGW(TAG, "erasing %s", msg->wifi_only ? "the WiFi credentials" : "everything");
    vTaskDelay(pdMS_TO_TICKS(RESET_GRACE_MS));
    prov_actions_ap_stop(c);
    if (device_store_erase(msg->wifi_only) != ESP_OK) {
        ESP_LOGE(TAG, "the storage could not be erased completely");
    }
    secret_wipe(&c->wifi, sizeof c->wifi); /* a restart by software leaves the RAM as it is */
    esp_restart();
}

/** The actions that prepare a step; in the order of their bits. */
static bool run_first_half(prov_context_t *c, uint32_t actions, const prov_msg_t *msg)
{
    if (actions & PROV_DO_ABANDON) {
        abandon(c);
    }
    if (actions & (PROV_DO_MQTT_STOP | PROV_DO_MQTT_LEAVE)) {
        mqtt_end(c, actions);
    }
    if (actions & PROV_DO_WIFI_STOP) {
        wifi_stop(c);
    }
    if (actions & PROV_DO_DROP_PENDING) {
        device_store_drop_pending(c->pending_revision);
        secret_wipe(&c->wifi, sizeof c->wifi);
        c->pending = false;
    }
    if (actions & PROV_DO_COMMIT_PENDING) {
        /* A POST that was stored since has not been tried: what connected were the credentials before it. */
        if (c->pending && device_store_commit_pending(c->pending_revision) != ESP_OK) {
            return false;
        }
        c->pending = false;
        memset(&c->judge, 0, sizeof c->judge);
    }
    if (actions & PROV_DO_SPEND_TOKEN) {
        device_store_spend_token();
    }
    if ((actions & PROV_DO_STORE_CERTIFICATE) && !prov_certificates_store(c, msg)) {
        return false;
    }
    if (actions & PROV_DO_PROVE_CERTIFICATE) {
        prov_certificates_prove(c);
    }
    if (actions & PROV_DO_NOTE_ERROR) {
        note_error(c, msg);
    }
    if (actions & PROV_DO_SET_ERROR) {
        set_error(c, msg);
    }
    if (actions & PROV_DO_CLEAR_ERROR) {
        clear_error(c);
    }
    return true;
}

/** The actions that start something; in the order of their bits. */
static bool run_second_half(prov_context_t *c, uint32_t actions, const prov_msg_t *msg)
{
    if (actions & PROV_DO_AP_START) {
        prov_actions_ap_start(c);
    }
    if (actions & PROV_DO_AP_OFFER) {
        ap_offer(c, msg);
    }
    if (actions & PROV_DO_LOAD_CREDENTIALS) {
        load_credentials(c);
    }
    if ((actions & PROV_DO_CONNECT_SOON) && !connect_soon(c)) {
        return false;
    }
    if (actions & PROV_DO_CONNECT_BACKOFF) {
        connect_backoff(c);
    }
    if (actions & PROV_DO_CONNECT) {
        connect_now(c);
    }
    if (actions & PROV_DO_SYNC_CLOCK) {
        submit(c, NET_JOB_SYNC_CLOCK);
    }
    if (actions & PROV_DO_SAVE_CLOCK) {
        save_clock(c);
    }
    if (actions & PROV_DO_CHECK_CERTIFICATE) {
        submit(c, NET_JOB_CHECK_CERTIFICATE);
    }
    if (actions & PROV_DO_SUBMIT_CSR) {
        submit(c, NET_JOB_SUBMIT_CSR);
    }
    if (actions & PROV_DO_MQTT_START) {
        submit(c, c->tries_old ? NET_JOB_MQTT_START_OLD : NET_JOB_MQTT_START);
    }
    if (actions & PROV_DO_RENEW) {
        prov_certificates_renew(c);
    }
    if (actions & PROV_DO_RENEW_LATER) {
        prov_certificates_renew_later(c);
    }
    if (actions & PROV_DO_RETRY_BACKOFF) {
        retry_backoff(c);
    }
    return true;
}

/** The actions that follow success, and the end of everything. */
static void run_last(prov_context_t *c, uint32_t actions, const prov_msg_t *msg)
{
    if (actions & PROV_DO_PUBLISH_STATUS) {
        publish_status(c);
    }
    if (actions & PROV_DO_REPORT) {
        report(c);
    }
    if ((actions & PROV_DO_AP_LINGER) && c->ap_up) {
        start_timer(c, PROV_TIMER_LINGER, CONFIG_PROV_AP_LINGER_MS);
    }
    /* Whoever asks again and again must not keep it open by that. */
    if ((actions & PROV_DO_AP_STOP) && c->ap_up && c->timers.due_ms[PROV_TIMER_AP_STOP] == 0) {
        start_timer(c, PROV_TIMER_AP_STOP, AP_STOP_GRACE_MS);
    }
    if (actions & PROV_DO_OFFLINE_BEGIN) {
        offline_begin(c);
    }
    if (actions & PROV_DO_FACTORY_RESET) {
        factory_reset(c, msg);
    }
}

static uint16_t attempts_remaining(const prov_context_t *c)
{
    uint32_t max = CONFIG_PROV_WIFI_MAX_ATTEMPTS;
    uint32_t used = c->judge.attempts;
    if (c->status.state == PROV_STATE_SUBMIT_CSR) {
        max = CONFIG_PROV_BACKEND_MAX_ATTEMPTS;
        used = c->backend_backoff.failures;
    } else if (c->status.state != PROV_STATE_WIFI_CONNECTING) {
        used = 0;
    }
    return (uint16_t)(used < max ? max - used : 0);
}

bool prov_actions_run(prov_context_t *c, uint32_t actions, const prov_msg_t *msg)
{
    if (!run_first_half(c, actions, msg)) {
        return false;
    }
    c->status.certificate = device_store_has_certificate();
    if (!run_second_half(c, actions, msg)) {
        return false;
    }
    /* Others may see the new state only when it is complete: an error, for one, invites a new POST. */
    c->status.attempts_remaining = attempts_remaining(c);
    bool claim_served = msg->event == PROV_EVENT_PROVISION || msg->event == PROV_EVENT_STORAGE_FAILED;
    prov_status_set(&c->status, claim_served);
    run_last(c, actions, msg);
    return true;
}
