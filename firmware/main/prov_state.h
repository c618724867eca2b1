/* The states that the device can be in, and the events that move it from one to another. */
#pragma once

#include <stdbool.h>

#define PROV_EVENTS(X) \
    X(BOOT, "the modules are up") \
    X(UNPROVISIONED, "no WiFi credentials in storage") \
    X(FOUND_PENDING, "credentials that have never worked") \
    X(FOUND_PROVEN, "credentials that have worked") \
    X(PROVISION, "POST /provision was validated and stored") \
    X(CONNECT_DUE, "the delay before an association is over") \
    X(WIFI_UP, "associated, with an IP address") \
    X(WIFI_RETRY, "new credentials failed, no verdict yet") \
    X(WIFI_REJECTED, "verdict: the new credentials do not work") \
    X(WIFI_DOWN, "proven credentials failed; they are kept") \
    X(WIFI_LOST, "a working connection went away") \
    X(CLOCK_READY, "the time is good enough to check certificates") \
    X(CLOCK_FAILED, "no time source answered") \
    X(CERT_READY, "a usable certificate is in storage") \
    X(CERT_NEEDED, "none, or a new one was asked for") \
    X(ENROLLED, "the backend signed; the certificate was checked") \
    X(ENROL_RETRY, "the backend failed in a way that may pass") \
    X(ENROL_STUCK, "it keeps failing: say so, go on trying slowly") \
    X(ENROL_REJECTED, "verdict of the backend: a new POST is needed") \
    X(MQTT_ACCEPTED, "CONNACK: now the first status message has to get through") \
    X(MQTT_UP, "the broker acknowledged the first status message") \
    X(MQTT_RETRY, "the broker failed once; may be a hiccup") \
    X(MQTT_STUCK, "it keeps failing or refuses us: say so, go on trying") \
    X(MQTT_REFUSED, "it keeps failing, and somebody should be able to come") \
    X(MQTT_LOST, "a connection that stood went away") \
    X(CERT_EXPIRED, "the certificate in use is past its end") \
    X(RENEW_DUE, "it is in the last third of its lifetime") \
    X(RENEWED, "the next one is stored, and has yet to prove itself") \
    X(RENEW_FAILED, "no new one this time; the one in use goes on") \
    X(RETRY_DUE, "the delay before the next try is over") \
    X(STATUS_DUE, "time for the periodic status message") \
    X(STATUS_READ, "a client has read over the AP that it is connected") \
    X(LINGER_OVER, "the AP has lingered long enough") \
    X(OFFLINE_LONG, "a device that has worked has been offline for long") \
    X(WINDOW_OVER, "nobody has provisioned in the time for it") \
    X(STORAGE_FAILED, "NVS refused a write that the next step needs") \
    X(RESET, "POST /reset or a long press of the button")

typedef enum {
#define PROV_STATE(name, phase, words) PROV_STATE_##name,
#include "prov_states.inc"
#undef PROV_STATE
    PROV_STATE_COUNT
} prov_state_t;

typedef enum {
#define X(name, text) PROV_EVENT_##name,
    PROV_EVENTS(X)
#undef X
    PROV_EVENT_COUNT
} prov_event_id_t;

const char *prov_state_name(prov_state_t state);

/** Whether it is on its way by itself: not before its first step, nor waiting for somebody, nor online. */
bool prov_state_is_working(prov_state_t state);

const char *prov_event_name(prov_event_id_t event);
