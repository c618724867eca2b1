/*
 * A mutex with a condition variable on CLOCK_MONOTONIC: what every blocking object is made of.
 * The board's wall clock may be set at any time, so no wait may depend on it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} host_monitor_t;

void host_monitor_init(host_monitor_t *monitor);
void host_monitor_destroy(host_monitor_t *monitor);
void host_monitor_lock(host_monitor_t *monitor);
void host_monitor_unlock(host_monitor_t *monitor);
/** Wake everybody who waits. Call it with the monitor locked. */
void host_monitor_notify(host_monitor_t *monitor);
/** Wait for a notification without limit. Call it with the monitor locked. */
void host_monitor_wait(host_monitor_t *monitor);
/**
 * Wait until notified or until `deadline_us` of host_uptime_us().
 * @return false when the deadline passed.
 */
bool host_monitor_wait_until(host_monitor_t *monitor, int64_t deadline_us);

/** Microseconds since the process began (CLOCK_MONOTONIC). */
int64_t host_uptime_us(void);

/** The uptime at which a wait of `ticks` ends; INT64_MAX for portMAX_DELAY. */
int64_t host_deadline_of_ticks(uint32_t ticks);
