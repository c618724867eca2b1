/* Exponential backoff with jitter, so that a street of devices does not come back in step. */
#pragma once

#include <stdint.h>

/**
 * Delay before the next try, in milliseconds.
 *
 * Doubles from `min_ms` with each of `failures` (1 = the first), is capped at `max_ms`, and lies
 * between half and all of that, chosen by `random`.
 */
static inline uint32_t backoff_delay_ms(uint32_t failures, uint32_t min_ms, uint32_t max_ms, uint32_t random)
{
    uint64_t full = min_ms;
    for (uint32_t i = 1; i < failures && full < max_ms; i++) {
        full *= 2;
    }
    if (full > max_ms) {
        full = max_ms;
    }
    uint32_t half = (uint32_t)(full / 2);
    return (uint32_t)full - half + (half > 0 ? random % (half + 1) : 0);
}
