/* The time of day. Without it no certificate can be checked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

/** Sets the clock from the stored time. Call once at boot, after device_store_init(). */
esp_err_t device_clock_restore(void);

/** Unix seconds; meaningless before device_clock_sync() has succeeded. */
int64_t device_clock_now(void);

/** Milliseconds since boot; unaffected by setting the clock. */
int64_t device_clock_uptime_ms(void);

/** A client's time. It is taken when no time server answers, and stored when a TLS handshake confirms it. */
void device_clock_offer(int64_t unix_seconds);

/**
 * Gets the time from SNTP. Blocks up to PROV_SNTP_TIMEOUT_MS unless a trustworthy time is known
 * already; the next call asks the next server. Returns true when the clock is good enough to check
 * certificates with.
 */
bool device_clock_sync(void);

/** The clock cannot be right (a certificate begins in its future): only SNTP or a client mends it. */
void device_clock_distrust(void);

/**
 * A TLS handshake succeeded, and so did what its peer said: the dates of certificates agree with the clock.
 * A certificate that is new begins about now, and the next boot must not find it in the future.
 */
void device_clock_confirm(bool is_certificate_new);

/** Stores the time for the next boot, if SNTP or a TLS handshake vouches for it. Not too often. */
void device_clock_save(void);
