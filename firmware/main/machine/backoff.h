/* The one delay before another try, whatever failed: exponential backoff with full jitter above a floor. */
#pragma once

#include <stdint.h>

/**
 * Delay before the next try, in milliseconds: anything from `min_ms` up to a bound that doubles with each of
 * `failures` and stops at `max_ms`, so that a street of devices does not come back in step.
 */
static inline uint32_t backoff_delay_ms(uint32_t failures, uint32_t min_ms, uint32_t max_ms, uint32_t random)
{
    uint64_t bound = min_ms;
    for (uint32_t i = 0; i < failures && bound < max_ms; i++) {
        bound *= 2;
    }
    bound = bound > max_ms ? max_ms : bound;
    uint32_t least = min_ms < max_ms ? min_ms : max_ms;
    return least + (uint32_t)(random % (bound - least + 1));
}

/** How often something has failed. A success alone is soon said; what is forgotten is forgotten for one that lasted. */
typedef struct {
    uint32_t failures;
    int64_t up_since_ms; /* on the uptime clock; 0 = it is not up */
} backoff_t;

static inline void backoff_up(backoff_t *backoff, int64_t now_ms)
{
    backoff->up_since_ms = now_ms;
}

/** It has ended without a fault. What failed before it is forgotten if it was up for `stable_ms`. */
static inline void backoff_end(backoff_t *backoff, int64_t now_ms, int64_t stable_ms)
{
    if (backoff->up_since_ms != 0 && now_ms - backoff->up_since_ms >= stable_ms) {
        backoff->failures = 0;
    }
    backoff->up_since_ms = 0;
}

/** It has failed, or ended by a fault. */
static inline void backoff_down(backoff_t *backoff, int64_t now_ms, int64_t stable_ms)
{
    backoff_end(backoff, now_ms, stable_ms);
    backoff->failures += backoff->failures < UINT32_MAX;
}
