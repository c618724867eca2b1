#include "host_timer.h"

#include <stdlib.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host_heap.h"

static host_timer_t *earliest(host_timer_service_t *service)
{
    host_timer_t *first = service->timers;
    for (host_timer_t *timer = first; timer != NULL; timer = timer->next) {
        if (timer->due_us < first->due_us) {
            first = timer;
        }
    }
    return first;
}

static void unlink_timer(host_timer_service_t *service, host_timer_t *timer)
{
    for (host_timer_t **link = &service->timers; *link != NULL; link = &(*link)->next) {
        if (*link == timer) {
            *link = timer->next;
            break;
        }
    }
    timer->due_us = 0;
}

static void link_timer(host_timer_service_t *service, host_timer_t *timer, int64_t due_us)
{
    timer->due_us = due_us;
    timer->next = service->timers;
    service->timers = timer;
}

static void run_service(void *argument)
{
    host_timer_service_t *service = argument;
    host_monitor_lock(&service->monitor);
    for (;;) {
        host_timer_t *timer = earliest(service);
        int64_t due_us = timer != NULL ? timer->due_us : INT64_MAX;
        if (due_us > host_uptime_us()) {
            host_monitor_wait_until(&service->monitor, due_us);
            continue;
        }
        unlink_timer(service, timer);
        if (timer->period_us > 0) {
            link_timer(service, timer, due_us + (int64_t)timer->period_us);
        }
        void (*callback)(void *) = timer->callback;
        void *arg = timer->arg;
        host_monitor_unlock(&service->monitor);
        callback(arg); /* may free the timer */
        host_monitor_lock(&service->monitor);
    }
}

void host_timer_service_start(host_timer_service_t *service, const char *thread_name, uint32_t stack_bytes)
{
    service->thread_name = thread_name;
    host_monitor_init(&service->monitor);
    host_heap_pause(); /* on the chip it is there before the firmware is */
    BaseType_t created = xTaskCreate(run_service, thread_name, stack_bytes, service, 22, NULL);
    host_heap_resume();
    if (created != pdPASS) {
        abort();
    }
}

bool host_timer_arm(host_timer_service_t *service, host_timer_t *timer, uint64_t delay_us,
                    uint64_t period_us, bool restart)
{
    host_monitor_lock(&service->monitor);
    bool is_allowed = restart || timer->due_us == 0;
    if (is_allowed) {
        unlink_timer(service, timer);
        timer->period_us = period_us;
        /* 0 means "not running", so nothing may be due at 0. */
        int64_t due_us = host_uptime_us() + (int64_t)delay_us;
        link_timer(service, timer, due_us > 0 ? due_us : 1);
        host_monitor_notify(&service->monitor);
    }
    host_monitor_unlock(&service->monitor);
    return is_allowed;
}

bool host_timer_disarm(host_timer_service_t *service, host_timer_t *timer)
{
    host_monitor_lock(&service->monitor);
    bool was_running = timer->due_us != 0;
    unlink_timer(service, timer);
    host_monitor_unlock(&service->monitor);
    return was_running;
}

bool host_timer_is_armed(host_timer_service_t *service, host_timer_t *timer)
{
    host_monitor_lock(&service->monitor);
    bool is_running = timer->due_us != 0;
    host_monitor_unlock(&service->monitor);
    return is_running;
}
