/*
 * The provisioning state machine: one pure function (state, event) -> (state, actions).
 *
 * It does no I/O and owns no timers; the runner (prov_runner.c) feeds it events that were already
 * judged (is this a verdict or worth a retry?) and carries out the actions it returns.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "prov_state.h"

/** What an edge may ask for, in the order of execution, each with its function, prov_do_…() in prov_actions.h. */
#define PROV_ACTIONS(X) \
    X(ABANDON, abandon, "results of running jobs no longer count; stop its timers") \
    X(MQTT_STOP, mqtt_stop, "drop the connection: the next one is about to begin, or there is no network to say so") \
    X(MQTT_LEAVE, mqtt_leave, "tell the broker that the device is offline, then stop") \
    X(MQTT_FAREWELL, mqtt_farewell, "the same, and wait until the broker has heard it: the network goes next") \
    X(WIFI_STOP, wifi_stop, "leave the network, make no further attempt") \
    X(DROP_PENDING, drop_pending, "forget credentials that never worked") \
    X(COMMIT_PENDING, commit_pending, "they work: pending becomes proven") \
    X(SPEND_TOKEN, spend_token, "the provisioning token is used up") \
    X(STORE_CERTIFICATE, store_certificate, "what the backend has signed, for the broker to prove") \
    X(PROVE_CERTIFICATE, prove_certificate, "the one in use works: a new one that failed beside it goes") \
    X(NOTE_ERROR, note_error, "the event's failure is the last error, and is over") \
    X(SET_ERROR, set_error, "the event's failure becomes `error` in /status") \
    X(CLEAR_ERROR, clear_error, "there is none any more") \
    X(AP_START, ap_start, "open the AP; when it is up, its window is as new") \
    X(AP_OFFER, ap_offer, "the same, but once only, and for a device that was online only when its broker denies it") \
    X(LOAD_CREDENTIALS, load_credentials, "the newest; FOUND_PENDING, FOUND_PROVEN or UNPROVISIONED says which") \
    X(CONNECT_SOON, connect_soon, "after PROV_CONNECT_DELAY_MS, with the newest credentials") \
    X(CONNECT_BACKOFF, connect_backoff, "after the backoff of the attempts so far") \
    X(CONNECT, connect, "associate") \
    X(SYNC_CLOCK, sync_clock, "CLOCK_READY or CLOCK_FAILED says how it went") \
    X(SAVE_CLOCK, save_clock, "now and once a day") \
    X(CHECK_CERTIFICATE, check_certificate, "CERT_READY or CERT_NEEDED says how it went") \
    X(SUBMIT_CSR, submit_csr, "ask the backend for a certificate") \
    X(MQTT_START, mqtt_start, "connect to the broker") \
    X(RENEW, renew, "ask for the next certificate, beside the connection") \
    X(RENEW_LATER, renew_later, "try that again after a part of the time that is left") \
    X(RETRY_BACKOFF, retry_backoff, "RETRY_DUE after the backoff of the failures so far") \
    X(SHOW_STATUS, show_status, "from here on others see the new state, which is complete") \
    X(PUBLISH_STATUS, publish_status, "to the broker, now and again after the status interval") \
    X(REPORT, report, "tell the backend once, after an enrolment") \
    X(AP_LINGER, ap_linger, "LINGER_OVER after PROV_AP_LINGER_MS when the AP is up") \
    X(AP_STOP, ap_stop, "close the AP when the last answer has left") \
    X(OFFLINE_BEGIN, offline_begin, "OFFLINE_LONG after PROV_FALLBACK_AP_S, unless it runs already") \
    X(FACTORY_RESET, factory_reset, "erase and restart")

typedef enum {
#define X(name, function, text) PROV_ACTION_##name,
    PROV_ACTIONS(X)
#undef X
    PROV_ACTION_COUNT
} prov_action_t;

_Static_assert(PROV_ACTION_COUNT <= 64, "a set of actions is a mask of 64 bits");

/** The set of one action. */
#define PROV_DO(name) (UINT64_C(1) << PROV_ACTION_##name)

typedef struct {
    prov_state_t state;
    uint64_t actions; /* OR of PROV_DO() */
} prov_step_t;

/** The transition for one event; an event that has no meaning in `state` changes nothing. */
prov_step_t prov_sm_step(prov_state_t state, prov_event_id_t event);

/** True when the table has an edge for this pair (an edge may stay in the same state). */
bool prov_sm_handles(prov_state_t state, prov_event_id_t event);
