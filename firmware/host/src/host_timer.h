/*
 * A service that calls functions at given uptimes, in one thread of its own. esp_timer and the
 * FreeRTOS timers are two instances, so that a slow callback of one does not delay the other.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "host_monitor.h"

typedef struct host_timer {
    struct host_timer *next;
    void (*callback)(void *arg);
    void *arg;
    int64_t due_us; /* uptime; 0 = not running */
    uint64_t period_us; /* 0 = one shot */
} host_timer_t;

typedef struct {
    const char *thread_name;
    host_monitor_t monitor;
    host_timer_t *timers;
    bool is_started;
} host_timer_service_t;

/** Set up an instance and start its task; call it once (pthread_once). `stack_bytes` as xTaskCreate() has it. */
void host_timer_service_start(host_timer_service_t *service, const char *thread_name, uint32_t stack_bytes);
/** Arm a timer; false when it ran already and `restart` is false. */
bool host_timer_arm(host_timer_service_t *service, host_timer_t *timer, uint64_t delay_us,
                    uint64_t period_us, bool restart);
/** Disarm; false when it did not run. A callback under way is not waited for. */
bool host_timer_disarm(host_timer_service_t *service, host_timer_t *timer);
bool host_timer_is_armed(host_timer_service_t *service, host_timer_t *timer);
