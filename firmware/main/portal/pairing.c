#include "pairing.h"

#include <stdbool.h>
#include <stddef.h>

/** The byte at `index`, 0 beyond the end; remembers the end in `ended`. */
static unsigned char byte_at(const char *text, size_t index, bool *ended)
{
    *ended = *ended || text[index] == '\0';
    return *ended ? 0 : (unsigned char)text[index];
}

/** Looks at the same number of bytes whatever they are, so that the time tells nothing. */
static bool are_equal(const char *a, const char *b)
{
    unsigned difference = 0;
    bool a_ended = false;
    bool b_ended = false;
    for (size_t i = 0; i <= PAIRING_SECRET_MAX; i++) {
        difference |= (unsigned)(byte_at(a, i, &a_ended) ^ byte_at(b, i, &b_ended));
    }
    return difference == 0;
}

pairing_verdict_t pairing_check(pairing_t *pairing, const char *secret, const char *given)
{
    if (secret[0] == '\0') {
        return PAIRING_OK;
    }
    if (pairing->wrong >= PAIRING_TRIES) {
        return PAIRING_LOCKED;
    }
    if (given == NULL || given[0] == '\0') {
        return PAIRING_REQUIRED;
    }
    if (are_equal(secret, given)) {
        pairing->wrong = 0;
        return PAIRING_OK;
    }
    pairing->wrong++;
    return pairing->wrong >= PAIRING_TRIES ? PAIRING_LOCKED : PAIRING_REQUIRED;
}

uint32_t rate_limit_take(rate_limit_t *limit, int64_t now_ms)
{
    int64_t base = limit->empty_at_ms > now_ms ? limit->empty_at_ms : now_ms;
    int64_t next = base + RATE_INTERVAL_MS;
    if (next - now_ms > (int64_t)RATE_BURST * RATE_INTERVAL_MS) {
        return (uint32_t)(next - now_ms - (int64_t)RATE_BURST * RATE_INTERVAL_MS);
    }
    limit->empty_at_ms = next;
    return 0;
}
