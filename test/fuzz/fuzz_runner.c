/*
 * The state machine with the runner and the actions around it, in a world that does whatever the input
 * says. After every step nothing may be stuck; and from wherever the input has led, a device whose
 * world has become a good one must come online.
 */
#include "../../firmware/main/machine/prov_runner.c" /* for what is static in it */

#include "fuzz.h"
#include "prov_mailbox.h"
#include "runner_world.h"
#include "stubs.h"

#define STEPS_TO_RECOVER 1000

static bool is_armed(prov_timer_t timer)
{
    return s_context.timers.due_ms[timer] != 0;
}

/** Something will happen in this state, without anybody's help. */
static bool has_future(prov_state_t state)
{
    if (g_queued > 0) {
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
    MUST(!c->ap_up || (g_world.ap_up && g_world.server_up && g_world.names_up));
    MUST(c->ap_up || !g_world.names_up);
    if (state == PROV_STATE_AP_MODE) {
        MUST(!c->status.wifi_connected && c->status.ip == 0 && !c->attempt_running);
        MUST(c->ap_up || is_armed(PROV_TIMER_AP_RETRY) || s_window_closed);
    }
    if (state == PROV_STATE_MQTT_CONNECTED) {
        MUST(c->status.was_connected && c->status.wifi_connected);
        MUST(g_queued > 0 || (g_world.mqtt_up && g_world.mqtt_id == c->job_id));
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
    prov_msg_t msg;
    while (prov_mailbox_take(&msg, 0)) {
        prov_msg_release(&msg);
    }
}

static void boot(void)
{
    drop_messages();
    memset(&g_world, 0, sizeof g_world);
    memset(&s_context, 0, sizeof s_context);
    s_window_closed = false;
    g_uptime_ms = 1;
    MUST(prov_status_init() == ESP_OK);
    prov_status_set(&s_context.status, true);
    MUST(prov_mailbox_init() == ESP_OK && prov_runner_start(ESP_OK) == ESP_OK);
}

/** The button is asked ten times a second, and would stretch every wait into hundreds of steps. */
static void jump_to_next_deadline(void)
{
    prov_timers_t timers = s_context.timers;
    timers.due_ms[PROV_TIMER_BUTTON] = 0;
    g_uptime_ms += prov_timers_wait_ms(&timers, g_uptime_ms, 200000);
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
        g_uptime_ms += choice * 1000;
        break;
    case 4:
    case 5:
        if (g_world.jobs_queued > 0) {
            world_finish_job(choice);
        }
        break;
    case 6:
        world_broker(choice);
        break;
    case 7:
    case 8:
        world_radio(choice);
        break;
    case 9:
        world_provision(choice % 8 == 0);
        break;
    case 10:
        g_world.store_fails = (choice & 1) != 0;
        g_world.ap_fails = (choice & 2) != 0;
        g_world.radio_fails = (choice & 4) != 0;
        break;
    default:
        if (choice % 16 == 0) {
            g_world.is_pressed = true;
        } else if (choice % 16 == 1) {
            world_post(&(prov_msg_t){.event = PROV_EVENT_RESET, .wifi_only = (choice & 16) != 0});
        } else {
            world_post(&(prov_msg_t){.event = PROV_EVENT_STATUS_READ});
        }
        break;
    }
}

/** All is well from now on: it must come online, with a person's POST if it waits for one. */
static void recover(void)
{
    g_world.store_fails = false;
    g_world.ap_fails = false;
    g_world.radio_fails = false;
    g_world.is_pressed = false;
    g_world.jobs_queued = 0; /* lost: the watchdog has to see to it */
    for (int i = 0; i < STEPS_TO_RECOVER; i++) {
        prov_state_t state = s_context.status.state;
        if (g_queued == 0 && state == PROV_STATE_MQTT_CONNECTED) {
            return;
        }
        if (g_queued == 0 && state == PROV_STATE_AP_MODE && s_window_closed) {
            boot(); /* as its manual says */
        } else if (g_queued == 0 && state == PROV_STATE_AP_MODE && s_context.ap_up) {
            world_provision(false);
        } else if (g_world.jobs_queued > 0) {
            world_finish_job(0);
        } else if (g_queued == 0 && g_world.mqtt_id != 0 && !g_world.mqtt_up &&
                   state == PROV_STATE_MQTT_CONNECTING) {
            world_broker(0);
        } else if (g_queued == 0 && s_context.attempt_running && g_world.is_wanted) {
            world_radio(0);
            world_radio(1);
        } else if (g_queued == 0) {
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
    memset(&g_flash, 0, sizeof g_flash);
    uint8_t flash = take_byte(&input);
    g_flash.has_wifi = (flash & 1) != 0;
    g_flash.has_active = (flash & 2) != 0;
    g_flash.has_token = g_flash.has_wifi && ((flash & 4) != 0 || !g_flash.has_active);
    g_flash.has_pending = (flash & 8) != 0;
    (void)setjmp(g_restart); /* a restart comes back here, with what is left of the input */
    boot();
    while (input.left > 0) {
        act(&input);
    }
    recover();
    drop_messages();
    return 0;
}
