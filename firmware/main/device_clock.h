/* The time of day. Without it no certificate can be checked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Sets the clock from the last known time, if it has not been set. Call once at boot. */
void device_clock_restore(void);

/** True once the clock shows a time after PROV_TIME_MIN. */
bool device_clock_is_set(void);

/** Unix seconds; meaningless while the clock is not set. */
int64_t device_clock_now(void);

/** Milliseconds since boot; unaffected by setting the clock. */
int64_t device_clock_uptime_ms(void);

/** Takes the time from a client, only when the clock has never been set since it was made. */
void device_clock_offer(int64_t unix_seconds);

/**
 * Gets the time from SNTP. Blocks up to PROV_SNTP_TIMEOUT_MS unless a trustworthy time is known
 * already; the next call asks the next server. Returns true when the clock is good enough to check
 * certificates with.
 */
bool device_clock_sync(void);

/** The clock cannot be right (a certificate begins in its future): only SNTP or a client mends it. */
void device_clock_distrust(void);

/** Stores the time for the next boot, when the stored one is an hour old or ahead: flash wears out. */
void device_clock_save(void);
