/* Who may provision or reset besides knowing the AP's password, and how often. Pure. */
#pragma once

#include <stdint.h>

#include "prov_limits.h"

#define PAIRING_TRIES 5 /* wrong ones until nothing but a restart helps */

typedef enum {
    PAIRING_OK,
    PAIRING_REQUIRED, /* the secret is missing or wrong */
    PAIRING_LOCKED,   /* too many wrong ones; the right one does not help any more */
} pairing_verdict_t;

/** Zero-initialise. */
typedef struct {
    uint8_t wrong;
} pairing_t;

/**
 * Judges the secret that a client gave (NULL or "" = none; that is no try) against `secret`, of at
 * most PAIRING_SECRET_MAX bytes; "" means that none is asked for. Takes the same time for any wrong one.
 */
pairing_verdict_t pairing_check(pairing_t *pairing, const char *secret, const char *given);

/* Each accepted request writes to flash and moves the radio: a burst is fine, a stream is not. */
#define RATE_BURST 10
#define RATE_INTERVAL_MS 6000 /* one more after each */

/** Zero-initialise. */
typedef struct {
    int64_t empty_at_ms; /* on the uptime clock: when the burst would be whole again */
} rate_limit_t;

/** Takes one request into account; 0 when it may pass, else the milliseconds until the next may. */
uint32_t rate_limit_take(rate_limit_t *limit, int64_t now_ms);
