#include "renewal.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS (6 * 60 * 60 * 1000)

int64_t renewal_due_at(int64_t not_before, int64_t not_after, uint32_t random)
{
    int64_t third = not_after > not_before ? (not_after - not_before) / 3 : 0;
    return not_after - third + (int64_t)random % (third / 2 + 1);
}

uint32_t renewal_retry_ms(int64_t now, int64_t not_after, uint32_t random)
{
    int64_t left_s = not_after > now ? not_after - now : 0;
    int64_t full_ms = left_s < RETRY_MAX_MS / 100 ? left_s * 100 : RETRY_MAX_MS;
    int64_t delay_ms = full_ms / 2 + (int64_t)random % (full_ms / 2 + 1);
    return delay_ms > RETRY_MIN_MS ? (uint32_t)delay_ms : RETRY_MIN_MS;
}
