/* When a certificate is to be renewed. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Of the certificate in use. Times in Unix seconds. */
typedef struct {
    int64_t not_after;
    int64_t due_at;   /* when it is to be renewed */
    bool has_renewed; /* another one before, since boot */
} renewal_t;

typedef enum {
    RENEWAL_LATER,
    RENEWAL_DUE,
    RENEWAL_TOO_LATE, /* it has ended */
} renewal_verdict_t;

/**
 * Another certificate is in use. It is due in the first half of the last third of its lifetime, where `random` says, so
 * that devices that were made together do not come back together; after a renewal there is a pause before that, as what
 * came may be in its last third already.
 */
void renewal_plan(renewal_t *renewal, int64_t not_before, int64_t not_after, int64_t now, uint32_t random);

renewal_verdict_t renewal_judge(const renewal_t *renewal, int64_t now);

/** Until the next look, in milliseconds: `delay_ms`, but a day at most, and no longer than the certificate is valid. */
uint32_t renewal_wait_ms(const renewal_t *renewal, int64_t now, int64_t delay_ms);

/**
 * Delay before a renewal is tried again, in milliseconds: between half and all of a tenth of the
 * time that is left, 1 s at least and 6 h at most.
 */
uint32_t renewal_retry_ms(int64_t now, int64_t not_after, uint32_t random);
