/* When a certificate is to be renewed. Pure. */
#pragma once

#include <stdint.h>

/**
 * The moment to renew, Unix seconds: in the first half of the last third of the lifetime, where
 * `random` says, so that devices that were made together do not come back together.
 */
int64_t renewal_due_at(int64_t not_before, int64_t not_after, uint32_t random);

/**
 * Delay before a renewal is tried again, in milliseconds: between half and all of a tenth of the
 * time that is left, 1 s at least and 6 h at most.
 */
uint32_t renewal_retry_ms(int64_t now, int64_t not_after, uint32_t random);
