#include "one_thread.h"

#include <string.h>

#include "device_clock.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

int64_t g_uptime_ms;
size_t g_queued;

static uint8_t s_items[4096];
static size_t s_length;
static size_t s_item_size;

int64_t device_clock_uptime_ms(void)
{
    return g_uptime_ms;
}

void vTaskDelay(TickType_t ticks)
{
    g_uptime_ms += (int64_t)ticks * portTICK_PERIOD_MS;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack, void *argument, UBaseType_t priority,
                       TaskHandle_t *task)
{
    (void)code, (void)name, (void)stack, (void)argument, (void)priority, (void)task;
    return pdPASS;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task)
{
    (void)task;
    return 1024;
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return (SemaphoreHandle_t)s_items;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks)
{
    (void)semaphore, (void)ticks;
    return pdTRUE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    (void)semaphore;
    return pdTRUE;
}

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size)
{
    s_length = length;
    s_item_size = item_size;
    g_queued = 0;
    return length * item_size <= sizeof s_items ? (QueueHandle_t)s_items : NULL;
}

BaseType_t xQueueSendToBack(QueueHandle_t queue, const void *item, TickType_t ticks)
{
    (void)queue, (void)ticks;
    if (g_queued == s_length) {
        return pdFALSE;
    }
    memcpy(&s_items[g_queued++ * s_item_size], item, s_item_size);
    return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks)
{
    (void)queue, (void)ticks;
    if (g_queued == 0) {
        return pdFALSE;
    }
    memcpy(item, s_items, s_item_size);
    memmove(s_items, &s_items[s_item_size], --g_queued * s_item_size);
    return pdTRUE;
}
