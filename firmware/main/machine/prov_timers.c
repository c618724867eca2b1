#include "prov_timers.h"

void prov_timer_start(prov_timers_t *timers, prov_timer_t timer, int64_t now_ms, uint32_t delay_ms)
{
    timers->due_ms[timer] = now_ms + (int64_t)delay_ms;
    if (timers->due_ms[timer] == 0) {
        timers->due_ms[timer] = 1; /* 0 means off */
    }
}

void prov_timer_stop(prov_timers_t *timers, prov_timer_t timer)
{
    timers->due_ms[timer] = 0;
}

static int earliest(const prov_timers_t *timers)
{
    int best = -1;
    for (int i = 0; i < PROV_TIMER_COUNT; i++) {
        if (timers->due_ms[i] != 0 && (best < 0 || timers->due_ms[i] < timers->due_ms[best])) {
            best = i;
        }
    }
    return best;
}

uint32_t prov_timers_wait_ms(const prov_timers_t *timers, int64_t now_ms, uint32_t max_ms)
{
    int next = earliest(timers);
    if (next < 0 || timers->due_ms[next] - now_ms >= (int64_t)max_ms) {
        return max_ms;
    }
    return timers->due_ms[next] <= now_ms ? 0 : (uint32_t)(timers->due_ms[next] - now_ms);
}

bool prov_timers_take(prov_timers_t *timers, int64_t now_ms, prov_timer_t *timer)
{
    int next = earliest(timers);
    if (next < 0 || timers->due_ms[next] > now_ms) {
        return false;
    }
    timers->due_ms[next] = 0;
    *timer = (prov_timer_t)next;
    return true;
}
