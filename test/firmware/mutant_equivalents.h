/* Mutants of the state machine's table that nobody could tell from the original, and why. */
#pragma once

#define NO_BROKER "no broker has accepted a connection in this state: there is no farewell to wait for"
#define NOT_AT_REST "it leaves this state before it can be told anything"
#define LATER "both come before SHOW_STATUS, and neither asks what the error is"
#define FAILS "when the storage fails, STORAGE_FAILED sets its own error and opens the AP"
#define TIMER "one starts a timer, and nothing else; the other neither shows nor stops it"
#define IDS "both make what was asked for before meaningless, and no more is asked for between them"
#define AT_ONCE "the event that LOAD_CREDENTIALS posts is served at once, and shows what was loaded"

static const struct {
    const char *mutant;
    const char *reason;
} EQUIVALENTS[] = {
    {"WIFI_CONNECTING / WIFI_REJECTED: MQTT_LEAVE for MQTT_FAREWELL", NO_BROKER},
    {"SUBMIT_CSR / ENROL_REJECTED: MQTT_LEAVE for MQTT_FAREWELL", NO_BROKER},
    {"INIT / PROVISION: gone", NOT_AT_REST},
    {"CHECK_PROVISIONING / PROVISION: gone", NOT_AT_REST},
    {"INIT / RESET: gone", NOT_AT_REST},
    {"CHECK_PROVISIONING / RESET: gone", NOT_AT_REST},
    {"order: CLEAR_ERROR before WIFI_STOP", LATER},
    {"order: AP_START before CLEAR_ERROR", LATER},
    {"order: SYNC_CLOCK before CLEAR_ERROR", LATER},
    {"order: SAVE_CLOCK before CLEAR_ERROR", LATER},
    {"order: MQTT_START before CLEAR_ERROR", LATER},
    {"order: SET_ERROR before DROP_PENDING", LATER},
    {"order: AP_START before SET_ERROR", LATER},
    {"order: CONNECT_BACKOFF before SET_ERROR", LATER},
    {"order: AP_OFFER before SET_ERROR", LATER},
    {"order: SET_ERROR before SPEND_TOKEN", LATER},
    {"order: SET_ERROR before MQTT_LEAVE", LATER},
    {"order: NOTE_ERROR before MQTT_STOP", LATER},
    {"order: CONNECT_BACKOFF before NOTE_ERROR", LATER},
    {"order: NOTE_ERROR before MQTT_LEAVE", LATER},
    {"order: RETRY_BACKOFF before NOTE_ERROR", LATER},
    {"order: RENEW_LATER before NOTE_ERROR", LATER},
    {"order: CLEAR_ERROR before COMMIT_PENDING", FAILS},
    {"order: CLEAR_ERROR before STORE_CERTIFICATE", FAILS},
    {"order: CLEAR_ERROR before PROVE_CERTIFICATE", FAILS},
    {"order: CONNECT_SOON before AP_START", FAILS},
    {"order: SHOW_STATUS before CONNECT_BACKOFF", TIMER},
    {"order: SHOW_STATUS before RETRY_BACKOFF", TIMER},
    {"order: SHOW_STATUS before RENEW_LATER", TIMER},
    {"order: OFFLINE_BEGIN before SHOW_STATUS", TIMER},
    {"order: RETRY_BACKOFF before AP_OFFER", TIMER},
    {"order: AP_LINGER before REPORT", TIMER},
    {"order: OFFLINE_BEGIN before AP_STOP", TIMER},
    {"order: MQTT_STOP before ABANDON", IDS},
    {"order: MQTT_LEAVE before ABANDON", IDS},
    {"order: MQTT_FAREWELL before ABANDON", IDS},
    {"order: SHOW_STATUS before LOAD_CREDENTIALS", AT_ONCE},
};
