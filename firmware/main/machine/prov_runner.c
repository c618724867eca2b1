#include "prov_runner.h"

#include <stdio.h>
#include <string.h>

#include "backend_answer.h"
#include "button.h"
#include "device_clock.h"
#include "device_store.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "prov_actions.h"
#include "prov_certificates.h"
#include "prov_mailbox.h"
#include "sdkconfig.h"
#include "stack_marks.h"
#include "wifi_link.h"

#define STACK_SIZE 6144
#define PRIORITY 5
#define IDLE_WAIT_MS 60000

/* A connection that lasts so long has shown that the trouble before it is over. */
#define STABLE_S \
    (CONFIG_PROV_MQTT_STABLE_S > CONFIG_PROV_MQTT_STATUS_INTERVAL_S ? CONFIG_PROV_MQTT_STABLE_S \
                                                                    : CONFIG_PROV_MQTT_STATUS_INTERVAL_S)
#define STABLE_MS (STABLE_S * (int64_t)1000)

static const char *TAG = "prov";
static prov_context_t s_context;

/** One event through the state machine. */
static void step(const prov_msg_t *msg)
{
    prov_context_t *c = &s_context;
    prov_state_t before = c->status.state;
    if (!prov_sm_handles(before, msg->event)) {
        ESP_LOGD(TAG, "%s means nothing in %s", prov_event_name(msg->event), prov_state_name(before));
        prov_msg_release(msg);
        return;
    }
    prov_step_t next = prov_sm_step(before, msg->event);
    if (next.state != before) {
        ESP_LOGI(TAG, "state %s -> %s", prov_state_name(before), prov_state_name(next.state));
    }
    c->status.state = next.state;
    if (!prov_sm_handles(next.state, PROV_EVENT_OFFLINE_LONG)) {
        prov_timer_stop(&c->timers, PROV_TIMER_OFFLINE);
    }
    c->status.was_connected |= next.state == PROV_STATE_MQTT_CONNECTED;
    c->status.wifi_connects += msg->event == PROV_EVENT_WIFI_UP;
    c->status.mqtt_connects += msg->event == PROV_EVENT_MQTT_UP;
    if (msg->event == PROV_EVENT_PROVISION) {
        c->status.was_connected = false;
        prov_actions_forget_failures(c);
    }
    if (!prov_actions_run(c, next.actions, msg) && msg->event != PROV_EVENT_STORAGE_FAILED) {
        step(&(prov_msg_t){.event = PROV_EVENT_STORAGE_FAILED, .failure = PROV_FAILURE_STORAGE_FAILED});
    }
}

static void step_event(prov_event_id_t event)
{
    step(&(prov_msg_t){.event = event});
}

/** What the driver's `reason` means, in our words. */
static prov_msg_t link_failure(uint16_t reason)
{
    prov_msg_t msg = {.failure = wifi_reason_failure(reason)};
    if (reason < WIFI_REASON_NO_ANSWER) {
        snprintf(msg.detail, sizeof msg.detail, "reason %u", reason);
    } else if (reason == WIFI_REASON_OPEN) {
        snprintf(msg.detail, sizeof msg.detail, "open networks are not allowed");
    }
    return msg;
}

/** An association ended without a usable connection: retry, or a verdict? */
static void attempt_failed(uint16_t reason)
{
    prov_context_t *c = &s_context;
    c->attempt_running = false;
    prov_timer_stop(&c->timers, PROV_TIMER_LINK);
    backoff_down(&c->wifi_backoff, device_clock_uptime_ms(), STABLE_MS);
    prov_failure_t verdict = wifi_judge(&c->judge, reason, CONFIG_PROV_WIFI_MAX_ATTEMPTS);
    prov_msg_t msg = link_failure(reason);
    msg.event = wifi_judge_event(&c->judge, verdict, c->pending);
    msg.failure = msg.event == PROV_EVENT_WIFI_REJECTED ? verdict : msg.failure;
    step(&msg);
}

static void link_up(uint32_t ip)
{
    prov_context_t *c = &s_context;
    if (!c->attempt_running && !c->status.wifi_connected) {
        return; /* of a connection that was given up meanwhile */
    }
    c->attempt_running = false;
    prov_timer_stop(&c->timers, PROV_TIMER_LINK);
    c->status.ip = ip;
    c->status.wifi_connected = true;
    if (prov_sm_handles(c->status.state, PROV_EVENT_WIFI_UP)) {
        backoff_up(&c->wifi_backoff, device_clock_uptime_ms());
        step_event(PROV_EVENT_WIFI_UP);
    } else {
        prov_status_set(&c->status, false); /* a renewed lease with another address */
    }
}

static void link_down(uint16_t reason)
{
    prov_context_t *c = &s_context;
    c->status.ip = 0;
    c->status.wifi_connected = false;
    if (c->status.state == PROV_STATE_WIFI_CONNECTING) {
        if (c->attempt_running) {
            attempt_failed(reason);
        }
        return;
    }
    prov_status_set(&c->status, false);
    if (prov_sm_handles(c->status.state, PROV_EVENT_WIFI_LOST)) {
        backoff_down(&c->wifi_backoff, device_clock_uptime_ms(), STABLE_MS);
        backoff_end(&c->broker_backoff, device_clock_uptime_ms(), STABLE_MS);
    }
    prov_msg_t msg = link_failure(reason);
    msg.event = PROV_EVENT_WIFI_LOST;
    step(&msg);
}

static void link_timed_out(void)
{
    prov_context_t *c = &s_context;
    bool associated = c->status.wifi_connected;
    wifi_link_disconnect();
    c->status.wifi_connected = false;
    attempt_failed(associated ? WIFI_REASON_NO_ADDRESS : WIFI_REASON_NO_ANSWER);
}

static void link_associated(void)
{
    prov_context_t *c = &s_context;
    if (c->attempt_running) {
        c->status.wifi_connected = true;
        prov_start_timer(c, PROV_TIMER_LINK, CONFIG_PROV_DHCP_TIMEOUT_MS);
    }
}

static void backend_failed(const prov_msg_t *msg)
{
    prov_context_t *c = &s_context;
    prov_msg_t event = *msg;
    event.kind = PROV_MSG_EVENT;
    backoff_down(&c->backend_backoff, device_clock_uptime_ms(), STABLE_MS);
    event.event = backend_judge((backend_verdict_t)msg->verdict, c->backend_backoff.failures,
                                CONFIG_PROV_BACKEND_MAX_ATTEMPTS);
    step(&event);
}

/** The connection to the broker has ended, however far it had come. */
static void broker_failed(const prov_msg_t *msg)
{
    prov_context_t *c = &s_context;
    prov_msg_t event = *msg;
    backoff_down(&c->broker_backoff, device_clock_uptime_ms(), STABLE_MS);
    event.event = c->status.state == PROV_STATE_MQTT_CONNECTED
                      ? PROV_EVENT_MQTT_LOST
                      : broker_trial_failed(&c->trial, msg->failure, msg->is_denied);
    step(&event);
}

static void ack_overdue(void)
{
    broker_failed(&(prov_msg_t){.kind = PROV_MSG_BROKER_FAILED, .failure = PROV_FAILURE_PUBLISH_UNACKNOWLEDGED});
}

/** The broker has acknowledged a status message; the first of a connection is what makes it one. */
static void published(void)
{
    prov_context_t *c = &s_context;
    prov_timer_stop(&c->timers, PROV_TIMER_ACK);
    if (c->status.state == PROV_STATE_MQTT_CONNECTING) {
        backoff_up(&c->broker_backoff, device_clock_uptime_ms());
        c->clock_backoff = (backoff_t){0};
        /* The time for the next one may have come while this one was under way, and meant nothing then. */
        prov_start_timer(c, PROV_TIMER_STATUS, CONFIG_PROV_MQTT_STATUS_INTERVAL_S * 1000u);
        step_event(PROV_EVENT_MQTT_UP);
    }
}

/** The renewal succeeded: nothing ends before the new certificate is safely stored. */
static void renewed(const prov_msg_t *msg)
{
    prov_context_t *c = &s_context;
    prov_msg_t event = {.event = PROV_EVENT_RENEWED, .failure = PROV_FAILURE_STORAGE_FAILED};
    bool wanted = prov_sm_handles(c->status.state, PROV_EVENT_RENEWED);
    if (wanted && device_store_save_certificate(&msg->certificate) == ESP_OK) {
        device_clock_confirm(true);
        prov_timer_stop(&c->timers, PROV_TIMER_RENEW);
        c->renewal.has_renewed = true;
        c->trial = (broker_trial_t){.is_enrolled = c->trial.is_enrolled};
    } else {
        event.event = PROV_EVENT_RENEW_FAILED;
    }
    prov_msg_release(msg);
    step(&event);
}

/** Is the certificate in use past its end, or in the part of its life where a new one is due? */
static void certificate_tick(void)
{
    prov_context_t *c = &s_context;
    int64_t now = device_clock_now();
    switch (renewal_judge(&c->renewal, now)) {
    case RENEWAL_TOO_LATE:
        step_event(PROV_EVENT_CERT_EXPIRED);
        break;
    case RENEWAL_DUE:
        step_event(PROV_EVENT_RENEW_DUE);
        break;
    case RENEWAL_LATER:
        prov_certificates_watch(c, (c->renewal.due_at - now) * 1000);
        break;
    }
}

static void handle(const prov_msg_t *msg)
{
    prov_context_t *c = &s_context;
    if (msg->job_id != 0 && msg->job_id != c->job_id && msg->job_id != c->renewal_id) {
        prov_msg_release(msg);
        return;
    }
    switch (msg->kind) {
    case PROV_MSG_EVENT:
        if (msg->event == PROV_EVENT_CLOCK_FAILED) {
            backoff_down(&c->clock_backoff, device_clock_uptime_ms(), STABLE_MS);
        }
        step(msg);
        break;
    case PROV_MSG_LINK_ASSOCIATED:
        link_associated();
        break;
    case PROV_MSG_LINK_UP:
        link_up(msg->ip);
        break;
    case PROV_MSG_LINK_DOWN:
        link_down(msg->reason);
        break;
    case PROV_MSG_BACKEND_FAILED:
        backend_failed(msg);
        break;
    case PROV_MSG_BROKER_FAILED:
        broker_failed(msg);
        break;
    case PROV_MSG_PUBLISHING:
        if (c->timers.due_ms[PROV_TIMER_ACK] == 0) {
            prov_start_timer(c, PROV_TIMER_ACK, CONFIG_PROV_MQTT_ACK_TIMEOUT_MS);
        }
        break;
    case PROV_MSG_PUBLISHED:
        published();
        break;
    case PROV_MSG_CERTIFICATE:
        prov_certificates_in_use(c, &msg->in_use);
        break;
    case PROV_MSG_RENEWED:
        renewed(msg);
        break;
    }
}

static void button_tick(prov_context_t *c, int64_t now_ms)
{
    prov_timer_start(&c->timers, PROV_TIMER_BUTTON, now_ms, BUTTON_POLL_MS);
    if (button_poll(now_ms)) {
        step_event(PROV_EVENT_RESET);
    }
}

static void timer_due(prov_timer_t timer, int64_t now_ms)
{
    prov_context_t *c = &s_context;
    switch (timer) {
    case PROV_TIMER_CONNECT:
        step_event(PROV_EVENT_CONNECT_DUE);
        break;
    case PROV_TIMER_LINK:
        link_timed_out();
        break;
    case PROV_TIMER_RETRY:
        step_event(PROV_EVENT_RETRY_DUE);
        break;
    case PROV_TIMER_STATUS:
        step_event(PROV_EVENT_STATUS_DUE);
        break;
    case PROV_TIMER_ACK:
        ack_overdue();
        break;
    case PROV_TIMER_LINGER:
        step_event(PROV_EVENT_LINGER_OVER);
        break;
    case PROV_TIMER_AP_STOP:
        prov_actions_ap_close(c);
        break;
    case PROV_TIMER_AP_RETRY:
        if (c->status.state != PROV_STATE_MQTT_CONNECTED) {
            prov_do_ap_start(c, NULL); /* once connected, nobody needs it any more */
        }
        break;
    case PROV_TIMER_CLOCK:
        prov_do_save_clock(c, NULL);
        break;
    case PROV_TIMER_RENEW:
        certificate_tick();
        break;
    case PROV_TIMER_OFFLINE:
        step_event(PROV_EVENT_OFFLINE_LONG);
        break;
    case PROV_TIMER_WINDOW:
        step_event(PROV_EVENT_WINDOW_OVER);
        break;
    case PROV_TIMER_BUTTON:
        button_tick(c, now_ms);
        break;
    case PROV_TIMER_COUNT:
    default:
        break;
    }
}

/**
 * One round of the task: waits for a message or a deadline, serves all messages, then one deadline. In
 * this order, because a message may be of something that was given up, and must not be taken for the
 * outcome of what a deadline starts next.
 */
static void run_once(uint32_t max_wait_ms)
{
    prov_context_t *c = &s_context;
    prov_msg_t msg;
    prov_timer_t timer;
    uint32_t wait_ms = prov_timers_wait_ms(&c->timers, device_clock_uptime_ms(), max_wait_ms);
    while (prov_mailbox_take(&msg, wait_ms)) {
        handle(&msg);
        wait_ms = 0;
    }
    int64_t now_ms = device_clock_uptime_ms();
    if (prov_timers_take(&c->timers, now_ms, &timer)) {
        timer_due(timer, now_ms);
    }
}

static void runner_task(void *arg)
{
    (void)arg;
    for (;;) {
        run_once(IDLE_WAIT_MS);
        stack_marks_note(STACK_MARK_PROV);
    }
}

void prov_runner_note(prov_failure_t failure, const char *detail)
{
    prov_context_t *c = &s_context;
    c->status.failure = failure;
    c->status.last_failure = failure;
    snprintf(c->status.detail, sizeof c->status.detail, "%s", detail);
}

esp_err_t prov_runner_start(esp_err_t storage)
{
    prov_context_t *c = &s_context;
    c->status.attempts_remaining = CONFIG_PROV_WIFI_MAX_ATTEMPTS;
    prov_status_set(&c->status, false);
    prov_start_timer(c, PROV_TIMER_BUTTON, BUTTON_POLL_MS);
    if (storage == ESP_OK) {
        prov_post_event(PROV_EVENT_BOOT);
    } else {
        prov_post(&(prov_msg_t){.event = PROV_EVENT_STORAGE_FAILED, .failure = PROV_FAILURE_STORAGE_FAILED});
    }
    return xTaskCreate(runner_task, "prov", STACK_SIZE, NULL, PRIORITY, NULL) == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}
