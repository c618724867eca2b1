/* FreeRTOS semaphores and mutexes: queues whose count is all that matters. */
#include "freertos/semphr.h"

#include "freertos_queue_priv.h"

SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t uxMaxCount, UBaseType_t uxInitialCount)
{
    SemaphoreHandle_t semaphore = host_queue_create(uxMaxCount, 0);
    if (semaphore != NULL) {
        semaphore->count = uxInitialCount;
    }
    return semaphore;
}

SemaphoreHandle_t xSemaphoreCreateBinary(void)
{
    return xSemaphoreCreateCounting(1, 0);
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    SemaphoreHandle_t mutex = xSemaphoreCreateCounting(1, 1);
    if (mutex != NULL) {
        mutex->is_mutex = true;
    }
    return mutex;
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void)
{
    return xSemaphoreCreateMutex();
}

void vSemaphoreDelete(SemaphoreHandle_t xSemaphore)
{
    vQueueDelete(xSemaphore);
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xTicksToWait)
{
    int64_t deadline = host_deadline_of_ticks(xTicksToWait);
    host_monitor_lock(&xSemaphore->monitor);
    while (xSemaphore->count == 0 && host_monitor_wait_until(&xSemaphore->monitor, deadline)) {
    }
    bool is_taken = xSemaphore->count > 0;
    if (is_taken) {
        xSemaphore->count--;
        if (xSemaphore->is_mutex) {
            xSemaphore->holder = xTaskGetCurrentTaskHandle();
            xSemaphore->depth = 1;
        }
    }
    host_monitor_unlock(&xSemaphore->monitor);
    return is_taken ? pdTRUE : pdFALSE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore)
{
    host_monitor_lock(&xSemaphore->monitor);
    /* FreeRTOS asserts this too: xTaskPriorityDisinherit checks the holder. */
    configASSERT(!xSemaphore->is_mutex || xSemaphore->count > 0 ||
                 xSemaphore->holder == xTaskGetCurrentTaskHandle());
    bool has_room = xSemaphore->count < xSemaphore->length;
    if (has_room) {
        xSemaphore->count++;
        xSemaphore->holder = NULL;
        host_monitor_notify(&xSemaphore->monitor);
    }
    host_monitor_unlock(&xSemaphore->monitor);
    return has_room ? pdTRUE : pdFALSE;
}

static bool is_held_by_caller(SemaphoreHandle_t mutex)
{
    host_monitor_lock(&mutex->monitor);
    bool is_held = mutex->count == 0 && mutex->holder == xTaskGetCurrentTaskHandle();
    host_monitor_unlock(&mutex->monitor);
    return is_held;
}

BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t xMutex, TickType_t xTicksToWait)
{
    if (is_held_by_caller(xMutex)) {
        xMutex->depth++; /* only the holder touches it */
        return pdTRUE;
    }
    return xSemaphoreTake(xMutex, xTicksToWait);
}

BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t xMutex)
{
    if (!is_held_by_caller(xMutex)) {
        return pdFAIL;
    }
    if (--xMutex->depth > 0) {
        return pdTRUE;
    }
    return xSemaphoreGive(xMutex);
}

UBaseType_t uxSemaphoreGetCount(SemaphoreHandle_t xSemaphore)
{
    return uxQueueMessagesWaiting(xSemaphore);
}
