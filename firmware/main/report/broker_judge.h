/*
 * What an attempt at the broker ended with, and what a series of them means. A connection is one when a status message
 * was acknowledged. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net_failure.h"
#include "prov_event.h"

#define BROKER_NO_CONNACK_CODE (-1)

/** What was seen of one connection to the broker, from its first SYN to its end. */
typedef struct {
    bool has_connack;      /* it was accepted */
    bool has_ack;          /* a status message was acknowledged */
    int refusal;           /* CONNACK return code other than 0, or BROKER_NO_CONNACK_CODE */
    bool has_error;        /* esp-mqtt reported an error of the transport */
    net_error_t error;
    uint32_t duration_ms;
    uint32_t timeout_ms;   /* how long a CONNACK is waited for */
} broker_attempt_t;

typedef struct {
    prov_failure_t failure;
    bool is_denied; /* by a broker that has shown a good certificate, not by somebody on the way */
    char detail[PROV_DETAIL_MAX];
} broker_verdict_t;

broker_verdict_t broker_judge(const broker_attempt_t *attempt);

/** How the certificates fare with the broker before one is proven. Zero-initialise; with `is_enrolled`, if so. */
typedef struct {
    uint32_t failures;  /* in a row, with the certificates that are there */
    uint32_t denials;   /* the broker's own, in a row */
    bool is_enrolled;   /* a new one answers a token: somebody waits to hear of it */
    bool is_new;        /* the one in use, which has yet to prove itself */
    bool has_other;     /* it is new, and one that has worked is there */
    bool tries_old;     /* the new one has failed so often that it takes turns with the one before */
} broker_trial_t;

/** An attempt ended before the broker had acknowledged anything: MQTT_RETRY, MQTT_STUCK or MQTT_REFUSED. */
prov_event_id_t broker_trial_failed(broker_trial_t *trial, prov_failure_t failure, bool is_denied);
