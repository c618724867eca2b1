#include "host_clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "host_env.h"
#include "host_monitor.h"

int __real_clock_gettime(clockid_t clock, struct timespec *now);
time_t __wrap_time(time_t *out);
int __wrap_gettimeofday(struct timeval *now, void *zone);
int __wrap_settimeofday(const struct timeval *now, const struct timezone *zone);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

/* Board time minus uptime. */
static _Atomic int64_t s_offset_us;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

int64_t host_clock_true_time_us(void)
{
    struct timespec now;
    __real_clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void start_clock(void)
{
    if (host_env()->is_clock_real) {
        atomic_store(&s_offset_us, host_clock_true_time_us() - host_uptime_us());
    }
}

int64_t host_clock_now_us(void)
{
    pthread_once(&s_once, start_clock);
    return host_uptime_us() + atomic_load(&s_offset_us);
}

time_t host_clock_now(void)
{
    return (time_t)(host_clock_now_us() / 1000000);
}

void host_clock_set_us(int64_t now_us)
{
    pthread_once(&s_once, start_clock);
    atomic_store(&s_offset_us, now_us - host_uptime_us());
}

time_t __wrap_time(time_t *out)
{
    time_t now = host_clock_now();
    if (out != NULL) {
        *out = now;
    }
    return now;
}

int __wrap_gettimeofday(struct timeval *now, void *zone)
{
    (void)zone;
    int64_t now_us = host_clock_now_us();
    now->tv_sec = (time_t)(now_us / 1000000);
    now->tv_usec = (suseconds_t)(now_us % 1000000);
    return 0;
}

int __wrap_settimeofday(const struct timeval *now, const struct timezone *zone)
{
    (void)zone;
    if (now != NULL) {
        if (now->tv_usec < 0 || now->tv_usec >= 1000000) {
            errno = EINVAL;
            return -1;
        }
        host_clock_set_us((int64_t)now->tv_sec * 1000000 + now->tv_usec);
    }
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_REALTIME) {
        return __real_clock_gettime(clock, now);
    }
    int64_t now_us = host_clock_now_us();
    now->tv_sec = (time_t)(now_us / 1000000);
    now->tv_nsec = (long)(now_us % 1000000) * 1000;
    return 0;
}
