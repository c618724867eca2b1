#include "renewal.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS (6 * 60 * 60 * 1000)
#define LOOK_MAX_MS (24 * 60 * 60 * 1000)
#define PAUSE_MAX_S 3600

static int64_t due_at(int64_t not_before, int64_t not_after, uint32_t random)
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

void renewal_plan(renewal_t *renewal, int64_t not_before, int64_t not_after, int64_t now, uint32_t random)
{
    int64_t pause_s = (not_after - now) / 8;
    int64_t earliest = now + (pause_s < PAUSE_MAX_S ? pause_s : PAUSE_MAX_S);
    renewal->not_after = not_after;
    renewal->due_at = due_at(not_before, not_after, random);
    if (renewal->has_renewed && renewal->due_at < earliest) {
        renewal->due_at = earliest;
    }
}

renewal_verdict_t renewal_judge(const renewal_t *renewal, int64_t now)
{
    return now > renewal->not_after ? RENEWAL_TOO_LATE : now >= renewal->due_at ? RENEWAL_DUE : RENEWAL_LATER;
}

uint32_t renewal_wait_ms(const renewal_t *renewal, int64_t now, int64_t delay_ms)
{
    int64_t left_ms = (renewal->not_after - now + 1) * 1000;
    delay_ms = delay_ms < left_ms ? delay_ms : left_ms;
    delay_ms = delay_ms < LOOK_MAX_MS ? delay_ms : LOOK_MAX_MS;
    return delay_ms > 0 ? (uint32_t)delay_ms : 0;
}
