#include "prov_actions.h"

#include <string.h>

#include "backoff.h"
#include "device_clock.h"
#include "device_store.h"
#include "esp_log.h"
#include "esp_random.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "net_jobs.h"
#include "sdkconfig.h"
#include "secret_wipe.h"

/* One signature for every action; most need no message. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define RESET_GRACE_MS 500
#define DAY_MS (24u * 60 * 60 * 1000)
#define LEAVE_PATIENCE_MS 3000 /* for the broker to hear that the device goes, and a network task that is busy */

static const char *TAG = "prov";

bool prov_do_abandon(prov_context_t *c, const prov_msg_t *msg)
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
    c->trial = (broker_trial_t){0};
    c->ap_offered = false;
    memset(&c->judge, 0, sizeof c->judge);
    return true;
}

void prov_actions_forget_failures(prov_context_t *c)
{
    c->wifi_backoff = (backoff_t){0};
    c->clock_backoff = (backoff_t){0};
    c->backend_backoff = (backoff_t){0};
    c->broker_backoff = (backoff_t){0};
}

static bool end_mqtt(prov_context_t *c, net_job_kind_t kind)
{
    bool queued = net_jobs_submit(kind, 0);
    c->mqtt_open = false;
    c->job_id = ++c->last_id; /* what it says from now on, an acknowledgement that comes late, means nothing */
    prov_timer_stop(&c->timers, PROV_TIMER_STATUS);
    prov_timer_stop(&c->timers, PROV_TIMER_ACK);
    return queued;
}

bool prov_do_mqtt_stop(prov_context_t *c, const prov_msg_t *msg)
{
    end_mqtt(c, NET_JOB_MQTT_STOP);
    return true;
}

bool prov_do_mqtt_leave(prov_context_t *c, const prov_msg_t *msg)
{
    end_mqtt(c, NET_JOB_MQTT_LEAVE);
    return true;
}

/** Where the network is given up too, it has to last until the broker has heard that the device goes. */
bool prov_do_mqtt_farewell(prov_context_t *c, const prov_msg_t *msg)
{
    bool was_open = c->mqtt_open;
    if (end_mqtt(c, NET_JOB_MQTT_LEAVE) && was_open) {
        net_jobs_wait_left(LEAVE_PATIENCE_MS);
    }
    return true;
}

bool prov_do_spend_token(prov_context_t *c, const prov_msg_t *msg)
{
    device_store_spend_token();
    return true;
}

bool prov_do_note_error(prov_context_t *c, const prov_msg_t *msg)
{
    c->status.last_failure = msg->failure != PROV_FAILURE_NONE ? msg->failure : PROV_FAILURE_STORAGE_FAILED;
    memcpy(c->status.last_detail, msg->detail, sizeof c->status.last_detail);
    ESP_LOGW(TAG, "error %s %s", prov_failure_code(c->status.last_failure), msg->detail);
    return true;
}

bool prov_do_set_error(prov_context_t *c, const prov_msg_t *msg)
{
    prov_do_note_error(c, msg);
    c->status.failure = c->status.last_failure;
    memcpy(c->status.detail, msg->detail, sizeof c->status.detail);
    return true;
}

bool prov_do_clear_error(prov_context_t *c, const prov_msg_t *msg)
{
    c->status.failure = PROV_FAILURE_NONE;
    c->status.detail[0] = '\0';
    return true;
}

/** A job whose result counts: results of earlier ones no longer do. */
static bool submit(prov_context_t *c, net_job_kind_t kind)
{
    c->job_id = ++c->last_id;
    net_jobs_submit(kind, c->job_id);
    prov_start_timer(c, PROV_TIMER_RETRY, PROV_JOB_WATCHDOG_MS);
    return true;
}

bool prov_do_sync_clock(prov_context_t *c, const prov_msg_t *msg)
{
    return submit(c, NET_JOB_SYNC_CLOCK);
}

bool prov_do_check_certificate(prov_context_t *c, const prov_msg_t *msg)
{
    return submit(c, NET_JOB_CHECK_CERTIFICATE);
}

bool prov_do_submit_csr(prov_context_t *c, const prov_msg_t *msg)
{
    return submit(c, NET_JOB_SUBMIT_CSR);
}

bool prov_do_mqtt_start(prov_context_t *c, const prov_msg_t *msg)
{
    return submit(c, c->trial.tries_old ? NET_JOB_MQTT_START_OLD : NET_JOB_MQTT_START);
}

bool prov_do_save_clock(prov_context_t *c, const prov_msg_t *msg)
{
    device_clock_save();
    prov_start_timer(c, PROV_TIMER_CLOCK, DAY_MS);
    return true;
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

bool prov_do_retry_backoff(prov_context_t *c, const prov_msg_t *msg)
{
    prov_start_timer(c, PROV_TIMER_RETRY, retry_delay_ms(c));
    return true;
}

bool prov_do_connect_backoff(prov_context_t *c, const prov_msg_t *msg)
{
    /* New credentials have someone waiting for a verdict: no growing delay for them. */
    uint32_t failures = c->pending ? 1 : c->wifi_backoff.failures;
    uint32_t delay_ms =
        backoff_delay_ms(failures, CONFIG_PROV_RECONNECT_MIN_MS, CONFIG_PROV_RECONNECT_MAX_MS, esp_random());
    prov_start_timer(c, PROV_TIMER_CONNECT, delay_ms);
    return true;
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

/** Only what is complete: an error, for one, invites a new POST, which the AP must be up for. */
bool prov_do_show_status(prov_context_t *c, const prov_msg_t *msg)
{
    c->status.certificate = device_store_has_certificate();
    c->status.attempts_remaining = attempts_remaining(c);
    bool claim_served = msg->event == PROV_EVENT_PROVISION || msg->event == PROV_EVENT_STORAGE_FAILED;
    prov_status_set(&c->status, claim_served);
    return true;
}

/** The job reads what show_status() has published. */
bool prov_do_publish_status(prov_context_t *c, const prov_msg_t *msg)
{
    c->mqtt_open = true;
    net_jobs_submit(NET_JOB_PUBLISH_STATUS, c->job_id);
    prov_start_timer(c, PROV_TIMER_STATUS, CONFIG_PROV_MQTT_STATUS_INTERVAL_S * 1000u);
    return true;
}

bool prov_do_report(prov_context_t *c, const prov_msg_t *msg)
{
    if (c->report_due && sizeof CONFIG_PROV_REPORT_PATH > 1) {
        net_jobs_submit(NET_JOB_REPORT, c->job_id);
    }
    c->report_due = false;
    return true;
}

bool prov_do_factory_reset(prov_context_t *c, const prov_msg_t *msg)
{
    ESP_LOGW(TAG, "erasing %s", msg->wifi_only ? "the WiFi credentials" : "everything");
    vTaskDelay(pdMS_TO_TICKS(RESET_GRACE_MS));
    prov_actions_ap_close(c);
    if (device_store_erase(msg->wifi_only) != ESP_OK) {
        ESP_LOGE(TAG, "the storage could not be erased completely");
    }
    secret_wipe(&c->wifi, sizeof c->wifi); /* a restart by software leaves the RAM as it is */
    esp_restart();
    return true;
}

bool prov_actions_run(prov_context_t *c, uint64_t actions, const prov_msg_t *msg)
{
    static bool (*const FUNCTIONS[])(prov_context_t *, const prov_msg_t *) = {
#define X(name, function, text) prov_do_##function,
        PROV_ACTIONS(X)
#undef X
    };
    for (int i = 0; actions != 0; i++, actions >>= 1) {
        if ((actions & 1) != 0 && !FUNCTIONS[i](c, msg)) {
            return false;
        }
    }
    return true;
}
