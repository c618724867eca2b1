/* What an attempt at the broker ended with. A connection is one when a status message was acknowledged. Pure. */
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
