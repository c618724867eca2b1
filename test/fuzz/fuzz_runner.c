/*
 * The state machine with the runner and the actions around it, in a world that does whatever the input
 * says. After every step nothing may be stuck; and from wherever the input has led, a device whose
 * world has become a good one must come online.
 */
#include <setjmp.h>

#include "../../firmware/main/prov_runner.c" /* for what is static in it */

#include "captive_dns.h"
#include "device_identity.h"
#include "esp_random.h"
#include "esp_system.h"
#include "fuzz.h"
#include "http_api.h"
#include "net_jobs.h"
#include "stubs.h"

#define QUEUE_MAX 24
#define JOBS_MAX 12
#define ROOM_FOR_OTHERS 12 /* messages that only come when the task is not behind */
#define STEPS_TO_RECOVER 1000
#define NOW 1750000000

static struct {
    prov_msg_t queue[QUEUE_MAX];
    size_t queued;
    struct {
        net_job_kind_t kind;
        uint32_t id;
    } jobs[JOBS_MAX];
    size_t jobs_queued;
    uint32_t mqtt_id; /* of the connection that is up or being made; 0 = none */
    bool mqtt_up;
    bool server_up;
    bool names_up;
    bool ap_up;
    bool store_fails;
    bool ap_fails;
    bool radio_fails;
    bool is_wanted; /* a station that was never told to connect reports nothing */
    bool is_pressed;
} s_world;

/* What survives a restart. */
static struct {
    bool has_pending;
    bool has_wifi;
    bool has_token;
    bool has_new;
    bool has_active;
    bool is_pending_open; /* it has no password, and is refused for that */
} s_flash;

static jmp_buf s_restart;

/* ---- FreeRTOS and ESP-IDF ---- */

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size)
{
    MUST(length == QUEUE_MAX && item_size == sizeof(prov_msg_t));
    return (QueueHandle_t)&s_world;
}

BaseType_t xQueueSendToBack(QueueHandle_t queue, const void *item, TickType_t ticks)
{
    (void)queue;
    (void)ticks;
    if (s_world.queued == QUEUE_MAX) {
        return pdFALSE;
    }
    s_world.queue[s_world.queued++] = *(const prov_msg_t *)item;
    return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks)
{
    (void)queue;
    (void)ticks;
    if (s_world.queued == 0) {
        return pdFALSE;
    }
    *(prov_msg_t *)item = s_world.queue[0];
    memmove(&s_world.queue[0], &s_world.queue[1], --s_world.queued * sizeof(prov_msg_t));
    return pdTRUE;
}

void esp_restart(void)
{
    longjmp(s_restart, 1);
}

/* ---- the modules around the runner ---- */

int64_t device_clock_uptime_ms(void)
{
    return stub_now_ms;
}

int64_t device_clock_now(void)
{
    return NOW + stub_now_ms / 1000;
}

void device_clock_save(void)
{
}

bool button_poll(int64_t now_ms)
{
    (void)now_ms;
    bool pressed = s_world.is_pressed;
    s_world.is_pressed = false;
    return pressed;
}

esp_err_t http_api_start(void)
{
    s_world.server_up = true;
    return ESP_OK;
}

void http_api_stop(void)
{
    s_world.server_up = false;
}

void captive_dns_start(void)
{
    s_world.names_up = true;
}

void captive_dns_stop(void)
{
    s_world.names_up = false;
}

esp_err_t wifi_link_ap_start(void)
{
    s_world.ap_up = !s_world.ap_fails;
    return s_world.ap_fails ? ESP_FAIL : ESP_OK;
}

esp_err_t wifi_link_ap_stop(void)
{
    s_world.ap_up = false;
    return ESP_OK;
}

esp_err_t wifi_link_connect(const wifi_credentials_t *wifi)
{
    MUST(wifi->ssid[0] != '\0');
    s_world.is_wanted = !s_world.radio_fails;
    return s_world.radio_fails ? ESP_FAIL : ESP_OK;
}

void wifi_link_disconnect(void)
{
    s_world.is_wanted = false;
}

bool net_jobs_submit(net_job_kind_t kind, uint32_t job_id)
{
    if (kind == NET_JOB_MQTT_STOP) {
        s_world.mqtt_id = 0;
    }
    bool has_outcome = kind != NET_JOB_MQTT_STOP && kind != NET_JOB_PUBLISH_STATUS && kind != NET_JOB_REPORT;
    if (has_outcome && s_world.jobs_queued < JOBS_MAX) {
        s_world.jobs[s_world.jobs_queued].kind = kind;
        s_world.jobs[s_world.jobs_queued++].id = job_id;
    }
    return s_world.jobs_queued < JOBS_MAX;
}

static esp_err_t write_result(void)
{
    return s_world.store_fails ? ESP_FAIL : ESP_OK;
}

static wifi_credentials_t network(bool is_open)
{
    wifi_credentials_t wifi = {.ssid = "n"};
    if (!is_open) {
        memcpy(wifi.password, "password", sizeof "password");
    }
    return wifi;
}

esp_err_t device_store_load_pending(provisioning_t *pending)
{
    memset(pending, 0, sizeof *pending);
    if (s_flash.has_pending) {
        pending->wifi = network(s_flash.is_pending_open);
    }
    return s_flash.has_pending ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_drop_pending(void)
{
    s_flash.has_pending = s_flash.has_pending && s_world.store_fails;
    return write_result();
}

esp_err_t device_store_commit_pending(void)
{
    if (s_flash.has_pending && !s_world.store_fails) {
        MUST(!s_flash.is_pending_open);
        s_flash.has_pending = false;
        s_flash.has_wifi = true;
        s_flash.has_token = true;
        s_flash.has_new = false;
    }
    return write_result();
}

esp_err_t device_store_load_wifi(wifi_credentials_t *wifi)
{
    memset(wifi, 0, sizeof *wifi);
    if (s_flash.has_wifi) {
        *wifi = network(false);
    }
    return s_flash.has_wifi ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_load_enrolment(enrolment_t *enrol)
{
    memset(enrol, 0, sizeof *enrol);
    return s_flash.has_wifi ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_spend_token(void)
{
    s_flash.has_token = s_flash.has_token && s_world.store_fails;
    return write_result();
}

esp_err_t device_store_save_certificate(const certificate_t *certificate)
{
    MUST(certificate->record != NULL);
    if (!s_world.store_fails) {
        s_flash.has_new = true;
        s_flash.has_token = false;
    }
    return write_result();
}

esp_err_t device_store_promote_certificate(void)
{
    if (s_flash.has_new && !s_world.store_fails) {
        s_flash.has_active = true;
        s_flash.has_new = false;
    }
    return write_result();
}

esp_err_t device_store_drop_certificate(certificate_slot_t slot)
{
    if (slot == CERTIFICATE_SLOT_NEW) {
        s_flash.has_new = s_flash.has_new && s_world.store_fails;
    } else {
        s_flash.has_active = s_flash.has_active && s_world.store_fails;
    }
    return write_result();
}

bool device_store_has_certificate(void)
{
    return s_flash.has_new || s_flash.has_active;
}

esp_err_t device_store_save_clock(int64_t now)
{
    (void)now;
    return write_result();
}

esp_err_t device_store_erase(bool wifi_only)
{
    if (!s_world.store_fails) {
        s_flash.has_pending = false;
        s_flash.has_wifi = false;
        s_flash.has_token = false;
        s_flash.has_new = s_flash.has_new && wifi_only;
        s_flash.has_active = s_flash.has_active && wifi_only;
    }
    return write_result();
}

/* ---- invariants ---- */

static bool is_armed(prov_timer_t timer)
{
    return s_context.timers.due_ms[timer] != 0;
}

/** Something will happen in this state, without anybody's help. */
static bool has_future(prov_state_t state)
{
    if (s_world.queued > 0) {
        return true;
    }
    switch (state) {
    case PROV_STATE_AP_MODE:
        return true; /* it waits for a person; that the AP is there, is checked below */
    case PROV_STATE_WIFI_CONNECTING:
        return is_armed(PROV_TIMER_CONNECT) || is_armed(PROV_TIMER_LINK);
    case PROV_STATE_MQTT_CONNECTED:
        return is_armed(PROV_TIMER_STATUS);
    case PROV_STATE_WIFI_CONNECTED:
    case PROV_STATE_CHECK_CERTIFICATES:
    case PROV_STATE_SUBMIT_CSR:
    case PROV_STATE_MQTT_CONNECTING:
        return is_armed(PROV_TIMER_RETRY);
    default:
        return false; /* INIT and CHECK_PROVISIONING are left by a message that is in the queue */
    }
}

static bool s_window_closed;

static void check_invariants(void)
{
    const prov_context_t *c = &s_context;
    prov_state_t state = c->status.state;
    MUST(state < PROV_STATE_COUNT);
    MUST(has_future(state));
    MUST(prov_sm_handles(state, PROV_EVENT_PROVISION) && prov_sm_handles(state, PROV_EVENT_STORAGE_FAILED));
    MUST(!c->pending || c->judge.attempts <= CONFIG_PROV_WIFI_MAX_ATTEMPTS);
    MUST(c->status.attempts_remaining <= CONFIG_PROV_WIFI_MAX_ATTEMPTS ||
         c->status.attempts_remaining <= CONFIG_PROV_BACKEND_MAX_ATTEMPTS);
    MUST(prov_failure_code(c->status.failure) != NULL);
    MUST(!c->ap_up || (s_world.ap_up && s_world.server_up && s_world.names_up));
    MUST(c->ap_up || !s_world.names_up);
    if (state == PROV_STATE_AP_MODE) {
        MUST(!c->status.wifi_connected && c->status.ip == 0 && !c->attempt_running);
        MUST(c->ap_up || is_armed(PROV_TIMER_AP_RETRY) || s_window_closed);
    }
    if (state == PROV_STATE_MQTT_CONNECTED) {
        MUST(c->status.was_connected && c->status.wifi_connected);
    }
}

static void step_once(void)
{
    bool stops = s_context.timers.due_ms[PROV_TIMER_AP_STOP] != 0;
    run_once(0);
    stops = stops && !is_armed(PROV_TIMER_AP_STOP) && s_context.status.state == PROV_STATE_AP_MODE;
    s_window_closed = (s_window_closed || stops) && !s_context.ap_up && s_context.status.state == PROV_STATE_AP_MODE;
    check_invariants();
}

static void drop_messages(void)
{
    for (size_t i = 0; i < s_world.queued; i++) {
        release(&s_world.queue[i]);
    }
    s_world.queued = 0;
}

static void boot(void)
{
    drop_messages();
    memset(&s_world, 0, sizeof s_world);
    memset(&s_context, 0, sizeof s_context);
    s_window_closed = false;
    stub_now_ms = 1;
    MUST(prov_status_init() == ESP_OK);
    prov_status_set(&s_context.status, true);
    MUST(prov_runner_init() == ESP_OK && prov_runner_start(ESP_OK) == ESP_OK);
}

/** The button is asked ten times a second, and would stretch every wait into hundreds of steps. */
static void jump_to_next_deadline(void)
{
    prov_timers_t timers = s_context.timers;
    timers.due_ms[PROV_TIMER_BUTTON] = 0;
    stub_now_ms += prov_timers_wait_ms(&timers, stub_now_ms, 200000);
}

/* ---- the world ---- */

static void post(const prov_msg_t *msg)
{
    if (s_world.queued >= ROOM_FOR_OTHERS || !prov_post(msg)) {
        release(msg);
    }
}

static certificate_t make_certificate(void)
{
    certificate_t certificate;
    MUST(certificate_make("c", "a", &certificate));
    return certificate;
}

static prov_failure_t some_failure(uint8_t choice)
{
    return (prov_failure_t)(1 + choice % (PROV_FAILURE_COUNT - 1));
}

static void start_mqtt(uint32_t id, uint8_t choice)
{
    prov_msg_t chosen = {.kind = PROV_MSG_CERTIFICATE, .job_id = id};
    bool is_short = (choice & 0x80) != 0;
    chosen.in_use = (certificate_in_use_t){.not_before = NOW - 3600,
                                           .not_after = device_clock_now() + (is_short ? 2 : 86400),
                                           .is_new = s_flash.has_new,
                                           .has_fallback = s_flash.has_new && s_flash.has_active};
    post(&chosen);
    s_world.mqtt_id = id;
    s_world.mqtt_up = false;
}

/** The outcome of the oldest job: good when `choice` is even. */
static void finish_job(uint8_t choice)
{
    net_job_kind_t kind = s_world.jobs[0].kind;
    uint32_t id = s_world.jobs[0].id;
    bool good = choice % 2 == 0;
    prov_failure_t failure = good ? PROV_FAILURE_NONE : some_failure(choice / 2);
    memmove(&s_world.jobs[0], &s_world.jobs[1], --s_world.jobs_queued * sizeof s_world.jobs[0]);
    switch (kind) {
    case NET_JOB_SYNC_CLOCK:
        post(&(prov_msg_t){
            .event = good ? PROV_EVENT_CLOCK_READY : PROV_EVENT_CLOCK_FAILED, .job_id = id, .failure = failure});
        break;
    case NET_JOB_CHECK_CERTIFICATE: {
        bool is_usable = s_flash.has_new || (s_flash.has_active && !s_flash.has_token);
        post(&(prov_msg_t){.event = good && is_usable ? PROV_EVENT_CERT_READY : PROV_EVENT_CERT_NEEDED, .job_id = id});
        break;
    }
    case NET_JOB_SUBMIT_CSR:
        if (good && s_flash.has_token) {
            post(&(prov_msg_t){.event = PROV_EVENT_ENROLLED, .job_id = id, .certificate = make_certificate()});
        } else {
            int verdict = !good ? 1 + choice % 3 : (int)BACKEND_VERDICT_REJECTED;
            post(&(prov_msg_t){
                .kind = PROV_MSG_BACKEND_FAILED, .job_id = id, .failure = some_failure(choice), .verdict = verdict});
        }
        break;
    case NET_JOB_MQTT_START:
        if (!s_flash.has_new && !s_flash.has_active) {
            post(&(prov_msg_t){.event = PROV_EVENT_CERT_NEEDED, .job_id = id});
        } else {
            start_mqtt(id, choice);
        }
        break;
    case NET_JOB_RENEW:
        if (good) {
            post(&(prov_msg_t){.kind = PROV_MSG_RENEWED, .job_id = id, .certificate = make_certificate()});
        } else {
            post(&(prov_msg_t){.event = PROV_EVENT_RENEW_FAILED, .job_id = id, .failure = failure});
        }
        break;
    default:
        MUST(!"a job without an outcome");
    }
}

static void broker(uint8_t choice)
{
    if (s_world.mqtt_id == 0) {
        return;
    }
    if (choice % 2 == 0) {
        if (!s_world.mqtt_up) {
            post(&(prov_msg_t){.event = PROV_EVENT_MQTT_UP, .job_id = s_world.mqtt_id});
        }
        s_world.mqtt_up = true;
        return;
    }
    post(&(prov_msg_t){.kind = s_world.mqtt_up ? PROV_MSG_EVENT : PROV_MSG_BROKER_FAILED,
                       .event = PROV_EVENT_MQTT_LOST,
                       .job_id = s_world.mqtt_id,
                       .failure = some_failure(choice / 4)});
    s_world.mqtt_id = 0;
}

static void radio(uint8_t choice)
{
    static const uint16_t REASONS[] = {2, 8, 14, 15, 200, 201, 202, 204, 210, 211, 212, 255};
    if (!s_world.is_wanted) {
        return;
    }
    switch (choice % 4) {
    case 0:
        post(&(prov_msg_t){.kind = PROV_MSG_LINK_ASSOCIATED});
        break;
    case 1:
        post(&(prov_msg_t){.kind = PROV_MSG_LINK_UP, .ip = 0x0100007f});
        break;
    default:
        post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = REASONS[choice / 4 % (sizeof REASONS / 2)]});
        break;
    }
}

/** POST /provision, as http_api.c does it. */
static void provision(bool is_open)
{
    if (!s_context.ap_up || s_world.queued >= ROOM_FOR_OTHERS || prov_status_claim("") != PROV_CLAIM_OK) {
        return;
    }
    if (s_world.store_fails) {
        prov_status_unclaim();
        return;
    }
    s_flash.has_pending = true;
    s_flash.is_pending_open = is_open;
    prov_status_accepted("");
    MUST(prov_post_event(PROV_EVENT_PROVISION));
}

static void act(input_t *input)
{
    uint8_t what = take_byte(input);
    uint8_t choice = take_byte(input);
    switch (what % 12) {
    case 0:
    case 1:
        step_once();
        break;
    case 2:
        jump_to_next_deadline();
        step_once();
        break;
    case 3:
        stub_now_ms += choice * 1000;
        break;
    case 4:
    case 5:
        if (s_world.jobs_queued > 0) {
            finish_job(choice);
        }
        break;
    case 6:
        broker(choice);
        break;
    case 7:
    case 8:
        radio(choice);
        break;
    case 9:
        provision(choice % 8 == 0);
        break;
    case 10:
        s_world.store_fails = (choice & 1) != 0;
        s_world.ap_fails = (choice & 2) != 0;
        s_world.radio_fails = (choice & 4) != 0;
        break;
    default:
        if (choice % 16 == 0) {
            s_world.is_pressed = true;
        } else if (choice % 16 == 1) {
            post(&(prov_msg_t){.event = PROV_EVENT_RESET, .wifi_only = (choice & 16) != 0});
        } else {
            post(&(prov_msg_t){.event = PROV_EVENT_STATUS_READ});
        }
        break;
    }
}

/** All is well from now on: it must come online, with a person's POST if it waits for one. */
static void recover(void)
{
    s_world.store_fails = false;
    s_world.ap_fails = false;
    s_world.radio_fails = false;
    s_world.is_pressed = false;
    s_world.jobs_queued = 0; /* lost: the watchdog has to see to it */
    for (int i = 0; i < STEPS_TO_RECOVER; i++) {
        prov_state_t state = s_context.status.state;
        if (s_world.queued == 0 && state == PROV_STATE_MQTT_CONNECTED) {
            return;
        }
        if (s_world.queued == 0 && state == PROV_STATE_AP_MODE && s_window_closed) {
            boot(); /* as its manual says */
        } else if (s_world.queued == 0 && state == PROV_STATE_AP_MODE && s_context.ap_up) {
            provision(false);
        } else if (s_world.jobs_queued > 0) {
            finish_job(0);
        } else if (s_world.queued == 0 && s_world.mqtt_id != 0 && !s_world.mqtt_up && state == PROV_STATE_MQTT_CONNECTING) {
            broker(0);
        } else if (s_world.queued == 0 && s_context.attempt_running && s_world.is_wanted) {
            radio(0);
            radio(1);
        } else if (s_world.queued == 0) {
            jump_to_next_deadline();
        }
        step_once();
    }
    MUST(!"a device in a good world comes online");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static input_t input; /* survives longjmp() */
    input = (input_t){.at = data, .left = size};
    stub_random = 1;
    memset(&s_flash, 0, sizeof s_flash);
    uint8_t flash = take_byte(&input);
    s_flash.has_wifi = (flash & 1) != 0;
    s_flash.has_active = (flash & 2) != 0;
    s_flash.has_token = s_flash.has_wifi && ((flash & 4) != 0 || !s_flash.has_active);
    s_flash.has_pending = (flash & 8) != 0;
    (void)setjmp(s_restart); /* a restart comes back here, with what is left of the input */
    boot();
    while (input.left > 0) {
        act(&input);
    }
    recover();
    drop_messages();
    return 0;
}
