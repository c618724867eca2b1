/*
 * The provisioning state machine: one pure function (state, event) -> (state, actions).
 *
 * It does no I/O and owns no timers; the runner (prov_runner.c) feeds it events that were already
 * judged (is this a verdict or worth a retry?) and carries out the actions it returns.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PROV_STATES(X)    \
    X(INIT)               \
    X(CHECK_PROVISIONING) \
    X(AP_MODE)            \
    X(WIFI_CONNECTING)    \
    X(WIFI_CONNECTED)     \
    X(CHECK_CERTIFICATES) \
    X(SUBMIT_CSR)         \
    X(MQTT_CONNECTING)    \
    X(MQTT_CONNECTED)

#define PROV_EVENTS(X)                                                              \
    X(BOOT)               /* the modules are up */                                  \
    X(UNPROVISIONED)      /* no WiFi credentials in storage */                      \
    X(FOUND_PENDING)      /* credentials that have never worked */                  \
    X(FOUND_PROVEN)       /* credentials that have worked */                        \
    X(PROVISION)          /* POST /provision was validated and stored */            \
    X(CONNECT_DUE)        /* the delay before an association is over */             \
    X(WIFI_UP)            /* associated, with an IP address */                      \
    X(WIFI_RETRY)         /* new credentials failed, no verdict yet */              \
    X(WIFI_REJECTED)      /* verdict: the new credentials do not work */            \
    X(WIFI_DOWN)          /* proven credentials failed; they are kept */            \
    X(WIFI_LOST)          /* a working connection went away */                      \
    X(CLOCK_READY)        /* the time is good enough to check certificates */       \
    X(CLOCK_FAILED)       /* no time source answered */                             \
    X(CERT_READY)         /* a usable certificate is in storage */                  \
    X(CERT_NEEDED)        /* none, or a new one was asked for */                    \
    X(ENROLLED)           /* the backend signed; the certificate was checked */     \
    X(ENROL_RETRY)        /* the backend failed in a way that may pass */           \
    X(ENROL_STUCK)        /* it keeps failing: say so, go on trying slowly */       \
    X(ENROL_REJECTED)     /* verdict of the backend: a new POST is needed */        \
    X(MQTT_ACCEPTED)      /* CONNACK: now the first status message has to get through */ \
    X(MQTT_UP)            /* the broker acknowledged the first status message */    \
    X(MQTT_RETRY)         /* the broker failed once; may be a hiccup */             \
    X(MQTT_STUCK)         /* it keeps failing or refuses us: say so, go on trying */ \
    X(MQTT_REFUSED)       /* it keeps failing, and somebody should be able to come */ \
    X(MQTT_LOST)          /* a connection that stood went away */                   \
    X(CERT_EXPIRED)       /* the certificate in use is past its end */              \
    X(RENEW_DUE)          /* it is in the last third of its lifetime */             \
    X(RENEWED)            /* the next one is stored, and has yet to prove itself */ \
    X(RENEW_FAILED)       /* no new one this time; the one in use goes on */        \
    X(RETRY_DUE)          /* the delay before the next try is over */               \
    X(STATUS_DUE)         /* time for the periodic status message */                \
    X(STATUS_READ)        /* a client has read "connected" over the AP */           \
    X(LINGER_OVER)        /* the AP has lingered long enough */                     \
    X(OFFLINE_LONG)       /* a device that has worked has been offline for long */  \
    X(WINDOW_OVER)        /* nobody has provisioned in the time for it */           \
    X(STORAGE_FAILED)     /* NVS refused a write that the next step needs */        \
    X(RESET)              /* POST /reset or a long press of the button */

typedef enum {
#define X(name) PROV_STATE_##name,
    PROV_STATES(X)
#undef X
    PROV_STATE_COUNT
} prov_state_t;

typedef enum {
#define X(name) PROV_EVENT_##name,
    PROV_EVENTS(X)
#undef X
    PROV_EVENT_COUNT
} prov_event_id_t;

/** Actions are bits; the runner carries them out in ascending order, so the order here matters. */
typedef enum {
    PROV_DO_ABANDON = 1u << 0,          /* results of running jobs no longer count; stop its timers */
    PROV_DO_MQTT_STOP = 1u << 1,        /* the next connection is about to begin, or there is no network to say so */
    PROV_DO_MQTT_LEAVE = 1u << 2,       /* tell the broker that the device is offline, then stop */
    PROV_DO_WIFI_STOP = 1u << 3,        /* leave the network, make no further attempt */
    PROV_DO_DROP_PENDING = 1u << 4,     /* forget credentials that never worked */
    PROV_DO_COMMIT_PENDING = 1u << 5,   /* they work: pending becomes proven */
    PROV_DO_SPEND_TOKEN = 1u << 6,      /* the provisioning token is used up */
    PROV_DO_STORE_CERTIFICATE = 1u << 7,
    PROV_DO_PROVE_CERTIFICATE = 1u << 8, /* the one in use works: a new one that failed beside it goes */
    PROV_DO_NOTE_ERROR = 1u << 9,       /* the event's failure is the last error, and is over */
    PROV_DO_SET_ERROR = 1u << 10,        /* the event's failure becomes `error` in /status */
    PROV_DO_CLEAR_ERROR = 1u << 11,
    PROV_DO_AP_START = 1u << 12,        /* when it is up, its window is as new */
    PROV_DO_AP_OFFER = 1u << 13,        /* the same, but once only, and for a device that was online only when its broker denies it */
    PROV_DO_LOAD_CREDENTIALS = 1u << 14,
    PROV_DO_CONNECT_SOON = 1u << 15,    /* after PROV_CONNECT_DELAY_MS, attempt counter fresh */
    PROV_DO_CONNECT_BACKOFF = 1u << 16, /* after the backoff of the attempts so far */
    PROV_DO_CONNECT = 1u << 17,
    PROV_DO_SYNC_CLOCK = 1u << 18,
    PROV_DO_SAVE_CLOCK = 1u << 19,
    PROV_DO_CHECK_CERTIFICATE = 1u << 20,
    PROV_DO_SUBMIT_CSR = 1u << 21,
    PROV_DO_MQTT_START = 1u << 22,
    PROV_DO_RENEW = 1u << 23,           /* beside the connection, which goes on */
    PROV_DO_RENEW_LATER = 1u << 24,
    PROV_DO_RETRY_BACKOFF = 1u << 25,   /* RETRY_DUE after the backoff of the failures so far */
    PROV_DO_PUBLISH_STATUS = 1u << 26,  /* now, and again after the status interval */
    PROV_DO_REPORT = 1u << 27,          /* tell the backend once, after an enrolment */
    PROV_DO_AP_LINGER = 1u << 28,       /* LINGER_OVER after PROV_AP_LINGER_MS when the AP is up */
    PROV_DO_AP_STOP = 1u << 29,
    PROV_DO_OFFLINE_BEGIN = 1u << 30,   /* OFFLINE_LONG after PROV_FALLBACK_AP_S, unless it runs already */
    PROV_DO_FACTORY_RESET = 1u << 31,   /* erase and restart */
} prov_action_t;

#define PROV_ACTION_COUNT 32

typedef struct {
    prov_state_t state;
    uint32_t actions; /* OR of prov_action_t */
} prov_step_t;

/** The transition for one event; an event that has no meaning in `state` changes nothing. */
prov_step_t prov_sm_step(prov_state_t state, prov_event_id_t event);

/** True when the table has an edge for this pair (an edge may stay in the same state). */
bool prov_sm_handles(prov_state_t state, prov_event_id_t event);

const char *prov_state_name(prov_state_t state);
const char *prov_event_name(prov_event_id_t event);
