/* FreeRTOS software timers; callbacks in the "Tmr Svc" task. */
#include "freertos/timers.h"

#include <stdlib.h>

#include "freertos/task.h"
#include "host_timer.h"

#define TASK_STACK 2048 /* CONFIG_FREERTOS_TIMER_TASK_STACK_DEPTH */
#define TICK_US (1000000 / configTICK_RATE_HZ)

struct tmrTimerControl {
    host_timer_t timer;
    TickType_t period;
    BaseType_t is_auto_reload;
    void *id;
    TimerCallbackFunction_t callback;
};

static host_timer_service_t s_service;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

static void start_service(void)
{
    host_timer_service_start(&s_service, "Tmr Svc", TASK_STACK);
}

static void expire(void *arg)
{
    TimerHandle_t timer = arg;
    timer->callback(timer);
}

TimerHandle_t xTimerCreate(const char *pcTimerName, TickType_t xTimerPeriodInTicks,
                           BaseType_t xAutoReload, void *pvTimerID,
                           TimerCallbackFunction_t pxCallbackFunction)
{
    (void)pcTimerName;
    configASSERT(xTimerPeriodInTicks > 0);
    pthread_once(&s_once, start_service);
    TimerHandle_t timer = calloc(1, sizeof *timer);
    if (timer == NULL) {
        return NULL;
    }
    timer->timer.callback = expire;
    timer->timer.arg = timer;
    timer->period = xTimerPeriodInTicks;
    timer->is_auto_reload = xAutoReload;
    timer->id = pvTimerID;
    timer->callback = pxCallbackFunction;
    return timer;
}

BaseType_t xTimerStart(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    (void)xTicksToWait;
    uint64_t period_us = (uint64_t)xTimer->period * TICK_US;
    host_timer_arm(&s_service, &xTimer->timer, period_us, xTimer->is_auto_reload ? period_us : 0,
                   true);
    return pdPASS;
}

BaseType_t xTimerStop(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    (void)xTicksToWait;
    host_timer_disarm(&s_service, &xTimer->timer);
    return pdPASS;
}

BaseType_t xTimerDelete(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    xTimerStop(xTimer, xTicksToWait);
    free(xTimer);
    return pdPASS;
}

BaseType_t xTimerIsTimerActive(TimerHandle_t xTimer)
{
    return host_timer_is_armed(&s_service, &xTimer->timer) ? pdTRUE : pdFALSE;
}

void *pvTimerGetTimerID(TimerHandle_t xTimer)
{
    return xTimer->id;
}
