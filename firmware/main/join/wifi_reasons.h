/* What a disconnect reason means, and when a series of them is a verdict. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "prov_failure.h"
#include "prov_state.h"

/** Pseudo reasons beside the driver's (1..212): what the runner found by itself. */
#define WIFI_REASON_NO_ANSWER 0x1000  /* neither connected nor refused in PROV_WIFI_CONNECT_TIMEOUT_MS */
#define WIFI_REASON_NO_ADDRESS 0x1001 /* associated, but no IP in PROV_DHCP_TIMEOUT_MS */
#define WIFI_REASON_NOT_STARTED 0x1002 /* the driver refused to start the attempt */
#define WIFI_REASON_OPEN 0x1003       /* no password, and open networks are not allowed */

typedef enum {
    WIFI_REASON_CLASS_TRANSIENT, /* says nothing about the credentials */
    WIFI_REASON_CLASS_PASSWORD,
    WIFI_REASON_CLASS_NOT_FOUND,
    WIFI_REASON_CLASS_SECURITY,
    WIFI_REASON_CLASS_SIGNAL,
    WIFI_REASON_CLASS_DHCP,
    WIFI_REASON_CLASS_UNKNOWN, /* no version of the standard or of ESP-IDF that we know has it */
} wifi_reason_class_t;

/** The class of a reason; every known reason that does not mean more is TRANSIENT. */
wifi_reason_class_t wifi_reason_class(uint16_t reason);

/** The failure to report for a reason by itself (used for proven credentials, which get no verdict). */
prov_failure_t wifi_reason_failure(uint16_t reason);

/** Counts the failed attempts of one set of credentials. Zero-initialise for a fresh counter. */
typedef struct {
    uint16_t attempts;
    uint16_t streak; /* consecutive attempts that ended in `last_class` */
    wifi_reason_class_t last_class;
} wifi_judge_t;

/**
 * Takes one failed attempt into account.
 *
 * Returns PROV_FAILURE_NONE while another attempt is due, else the verdict. A wrong password needs
 * two such results in a row, because a congested network produces single ones by itself.
 */
prov_failure_t wifi_judge(wifi_judge_t *judge, uint16_t reason, uint16_t max_attempts);

/**
 * What wifi_judge() has counted and said is to the device: WIFI_RETRY, WIFI_DOWN, or for credentials that have never
 * worked (`is_pending`) WIFI_REJECTED.
 */
prov_event_id_t wifi_judge_event(const wifi_judge_t *judge, prov_failure_t verdict, bool is_pending);
