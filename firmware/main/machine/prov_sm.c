#include "prov_sm.h"

#include <stddef.h>

/* 12 bytes on the chips too, where the mask would ask for 16. */
typedef struct __attribute__((packed, aligned(4))) {
    uint16_t from; /* set of states, one bit each */
    uint8_t event; /* prov_event_id_t */
    int8_t to;     /* prov_state_t, or SAME */
    uint64_t actions;
} edge_t;

#define IN(state) (1u << PROV_STATE_##state)
#define ANY ((1u << PROV_STATE_COUNT) - 1u)
#define ONLINE (IN(WIFI_CONNECTED) | IN(CHECK_CERTIFICATES) | IN(SUBMIT_CSR) | IN(MQTT_CONNECTING) | IN(MQTT_CONNECTED))
#define WITH_BROKER (IN(MQTT_CONNECTING) | IN(MQTT_CONNECTED))
#define SAME (-1)
#define EV(name) PROV_EVENT_##name
#define TO(name) PROV_STATE_##name
#define DO(name) PROV_DO(name)
#define SHOW DO(SHOW_STATUS)

#define BACK_TO_AP \
    (DO(ABANDON) | DO(MQTT_FAREWELL) | DO(WIFI_STOP) | DO(SET_ERROR) | DO(AP_START) | SHOW | DO(OFFLINE_BEGIN))

/* No event has two edges from one state. */
static const edge_t EDGES[] = {
    {IN(INIT), EV(BOOT), TO(CHECK_PROVISIONING), DO(LOAD_CREDENTIALS) | SHOW},

    {IN(CHECK_PROVISIONING), EV(UNPROVISIONED), TO(AP_MODE), DO(AP_START) | SHOW},
    {IN(CHECK_PROVISIONING), EV(FOUND_PENDING), TO(WIFI_CONNECTING), DO(AP_START) | DO(CONNECT) | SHOW},
    {IN(CHECK_PROVISIONING), EV(FOUND_PROVEN), TO(WIFI_CONNECTING), DO(CONNECT) | SHOW | DO(OFFLINE_BEGIN)},

    {IN(WIFI_CONNECTING), EV(CONNECT_DUE), SAME, DO(CONNECT) | SHOW},
    {IN(WIFI_CONNECTING), EV(WIFI_UP), TO(WIFI_CONNECTED),
     DO(COMMIT_PENDING) | DO(CLEAR_ERROR) | DO(SYNC_CLOCK) | SHOW},
    {IN(WIFI_CONNECTING), EV(WIFI_RETRY), SAME, DO(CONNECT_BACKOFF) | SHOW},
    {IN(WIFI_CONNECTING), EV(WIFI_DOWN), SAME, DO(SET_ERROR) | DO(CONNECT_BACKOFF) | SHOW},
    {IN(WIFI_CONNECTING), EV(WIFI_REJECTED), TO(AP_MODE), BACK_TO_AP | DO(DROP_PENDING)},

    {IN(WIFI_CONNECTED), EV(CLOCK_READY), TO(CHECK_CERTIFICATES),
     DO(CLEAR_ERROR) | DO(SAVE_CLOCK) | DO(CHECK_CERTIFICATE) | SHOW},
    {IN(WIFI_CONNECTED), EV(CLOCK_FAILED), SAME, DO(SET_ERROR) | DO(AP_OFFER) | DO(RETRY_BACKOFF) | SHOW},
    {IN(WIFI_CONNECTED), EV(RETRY_DUE), SAME, DO(SYNC_CLOCK)},

    {IN(CHECK_CERTIFICATES), EV(CERT_READY), TO(MQTT_CONNECTING), DO(MQTT_START) | SHOW},
    /* A certificate from the future shows that the clock is behind. */
    {IN(CHECK_CERTIFICATES), EV(CLOCK_FAILED), TO(WIFI_CONNECTED), DO(SET_ERROR) | DO(RETRY_BACKOFF) | SHOW},
    {IN(CHECK_CERTIFICATES), EV(CERT_NEEDED), TO(SUBMIT_CSR), DO(SUBMIT_CSR) | SHOW},
    {IN(CHECK_CERTIFICATES), EV(RETRY_DUE), SAME, DO(CHECK_CERTIFICATE)},

    {IN(SUBMIT_CSR), EV(ENROLLED), TO(MQTT_CONNECTING),
     DO(STORE_CERTIFICATE) | DO(CLEAR_ERROR) | DO(MQTT_START) | SHOW},
    {IN(SUBMIT_CSR), EV(ENROL_RETRY), SAME, DO(RETRY_BACKOFF) | SHOW},
    {IN(SUBMIT_CSR), EV(ENROL_STUCK), SAME, DO(SET_ERROR) | DO(AP_OFFER) | DO(RETRY_BACKOFF) | SHOW},
    {IN(SUBMIT_CSR), EV(ENROL_REJECTED), TO(AP_MODE), BACK_TO_AP | DO(SPEND_TOKEN)},
    {IN(SUBMIT_CSR), EV(RETRY_DUE), SAME, DO(SUBMIT_CSR)},

    /* A CONNACK is no proof: many a broker lets everybody in and hangs up on what is not allowed. */
    {IN(MQTT_CONNECTING), EV(MQTT_ACCEPTED), SAME, SHOW | DO(PUBLISH_STATUS)},
    {IN(MQTT_CONNECTING), EV(MQTT_UP), TO(MQTT_CONNECTED),
     DO(PROVE_CERTIFICATE) | DO(CLEAR_ERROR) | SHOW | DO(REPORT) | DO(AP_LINGER)},
    {IN(MQTT_CONNECTING), EV(MQTT_RETRY), SAME, DO(MQTT_LEAVE) | DO(NOTE_ERROR) | DO(RETRY_BACKOFF) | SHOW},
    {IN(MQTT_CONNECTING), EV(MQTT_STUCK), SAME, DO(MQTT_LEAVE) | DO(SET_ERROR) | DO(RETRY_BACKOFF) | SHOW},
    {IN(MQTT_CONNECTING), EV(RETRY_DUE), SAME, DO(MQTT_START)},
    /* It keeps its identity and goes on trying, and somebody can reach it. */
    {IN(MQTT_CONNECTING), EV(MQTT_REFUSED), SAME,
     DO(MQTT_LEAVE) | DO(SET_ERROR) | DO(AP_OFFER) | DO(RETRY_BACKOFF) | SHOW},
    /* The certificate went away between the check and its use. */
    {IN(MQTT_CONNECTING), EV(CERT_NEEDED), TO(SUBMIT_CSR), DO(SUBMIT_CSR) | SHOW},

    {IN(MQTT_CONNECTED), EV(MQTT_LOST), TO(MQTT_CONNECTING),
     DO(MQTT_LEAVE) | DO(NOTE_ERROR) | DO(RETRY_BACKOFF) | SHOW},
    /* A renewal runs beside the connection, which ends only when there is a new certificate to try. */
    {WITH_BROKER, EV(RENEW_DUE), SAME, DO(RENEW)},
    {WITH_BROKER, EV(RENEW_FAILED), SAME, DO(NOTE_ERROR) | DO(RENEW_LATER) | SHOW},
    {WITH_BROKER, EV(RENEWED), TO(MQTT_CONNECTING), DO(MQTT_STOP) | DO(MQTT_START) | SHOW},
    {WITH_BROKER, EV(CERT_EXPIRED), TO(CHECK_CERTIFICATES),
     DO(ABANDON) | DO(MQTT_LEAVE) | DO(CHECK_CERTIFICATE) | SHOW},

    {IN(MQTT_CONNECTED), EV(STATUS_DUE), SAME, DO(PUBLISH_STATUS)},
    {IN(MQTT_CONNECTED), EV(STATUS_READ), SAME, DO(AP_STOP)},
    {IN(MQTT_CONNECTED), EV(LINGER_OVER), SAME, DO(AP_STOP)},

    /* Working credentials are kept and tried on; the AP is for somebody who may know of new ones. */
    {IN(WIFI_CONNECTING), EV(OFFLINE_LONG), SAME, DO(AP_START)},
    /* Whoever sent it there with a wrong password may be gone, and what has worked may work still. */
    {IN(AP_MODE), EV(OFFLINE_LONG), TO(CHECK_PROVISIONING), DO(LOAD_CREDENTIALS) | SHOW},
    {IN(WIFI_CONNECTING), EV(WINDOW_OVER), SAME, DO(AP_STOP) | DO(OFFLINE_BEGIN)},
    {IN(AP_MODE) | IN(WIFI_CONNECTED) | IN(CHECK_CERTIFICATES) | IN(SUBMIT_CSR) | IN(MQTT_CONNECTING), EV(WINDOW_OVER),
     SAME, DO(AP_STOP)},

    /* A loss by itself is no error yet: the next attempts will tell. */
    {ONLINE, EV(WIFI_LOST), TO(WIFI_CONNECTING),
     DO(ABANDON) | DO(MQTT_STOP) | DO(NOTE_ERROR) | DO(CONNECT_BACKOFF) | SHOW | DO(OFFLINE_BEGIN)},

    {ANY, EV(PROVISION), TO(WIFI_CONNECTING),
     DO(ABANDON) | DO(MQTT_FAREWELL) | DO(WIFI_STOP) | DO(CLEAR_ERROR) | DO(AP_START) | DO(CONNECT_SOON) | SHOW},
    {ANY, EV(STORAGE_FAILED), TO(AP_MODE), BACK_TO_AP},
    {ANY, EV(RESET), TO(INIT), DO(MQTT_FAREWELL) | DO(WIFI_STOP) | SHOW | DO(FACTORY_RESET)},
};

static const edge_t *find_edge(prov_state_t state, prov_event_id_t event)
{
    if (state >= PROV_STATE_COUNT) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof EDGES / sizeof EDGES[0]; i++) {
        if (EDGES[i].event == event && (EDGES[i].from & (1u << state)) != 0) {
            return &EDGES[i];
        }
    }
    return NULL;
}

prov_step_t prov_sm_step(prov_state_t state, prov_event_id_t event)
{
    const edge_t *edge = find_edge(state, event);
    if (edge == NULL) {
        return (prov_step_t){.state = state, .actions = 0};
    }
    return (prov_step_t){
        .state = edge->to == SAME ? state : (prov_state_t)edge->to,
        .actions = edge->actions,
    };
}

bool prov_sm_handles(prov_state_t state, prov_event_id_t event)
{
    return find_edge(state, event) != NULL;
}
