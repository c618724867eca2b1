#include "host_monitor.h"

#include <errno.h>

#include "freertos/FreeRTOS.h"
#include "host_stack.h"

/* Both the waits and the deadlines count from the same instant: the first call. */
static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t s_boot_us;
static pthread_once_t s_boot_once = PTHREAD_ONCE_INIT;

static void note_boot(void)
{
    s_boot_us = monotonic_us();
}

int64_t host_uptime_us(void)
{
    pthread_once(&s_boot_once, note_boot);
    return monotonic_us() - s_boot_us;
}

int64_t host_deadline_of_ticks(uint32_t ticks)
{
    if (ticks == portMAX_DELAY) {
        return INT64_MAX;
    }
    return host_uptime_us() + (int64_t)ticks * (1000000 / configTICK_RATE_HZ);
}

void host_monitor_init(host_monitor_t *monitor)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&monitor->mutex, NULL);
    pthread_cond_init(&monitor->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void host_monitor_destroy(host_monitor_t *monitor)
{
    pthread_cond_destroy(&monitor->changed);
    pthread_mutex_destroy(&monitor->mutex);
}

void host_monitor_lock(host_monitor_t *monitor)
{
    pthread_mutex_lock(&monitor->mutex);
}

void host_monitor_unlock(host_monitor_t *monitor)
{
    pthread_mutex_unlock(&monitor->mutex);
}

void host_monitor_notify(host_monitor_t *monitor)
{
    pthread_cond_broadcast(&monitor->changed);
}

void host_monitor_wait(host_monitor_t *monitor)
{
    host_stack_check(); /* as FreeRTOS does whenever it switches tasks */
    pthread_cond_wait(&monitor->changed, &monitor->mutex);
}

bool host_monitor_wait_until(host_monitor_t *monitor, int64_t deadline_us)
{
    if (deadline_us == INT64_MAX) {
        host_monitor_wait(monitor);
        return true;
    }
    host_stack_check();
    pthread_once(&s_boot_once, note_boot);
    int64_t at = s_boot_us + deadline_us;
    struct timespec deadline = {.tv_sec = at / 1000000, .tv_nsec = (at % 1000000) * 1000};
    return pthread_cond_timedwait(&monitor->changed, &monitor->mutex, &deadline) != ETIMEDOUT;
}
