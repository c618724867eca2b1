/* FreeRTOS queues. Semaphores are queues of items without size, as in FreeRTOS itself. */
#include "freertos/queue.h"

#include <stdlib.h>
#include <string.h>

#include "freertos_queue_priv.h"

QueueHandle_t host_queue_create(UBaseType_t length, UBaseType_t item_size)
{
    QueueHandle_t queue = calloc(1, sizeof *queue);
    if (queue == NULL) {
        return NULL;
    }
    if (item_size > 0) {
        queue->items = calloc(length, item_size);
        if (queue->items == NULL) {
            free(queue);
            return NULL;
        }
    }
    queue->length = length;
    queue->item_size = item_size;
    host_monitor_init(&queue->monitor);
    return queue;
}

QueueHandle_t xQueueCreate(UBaseType_t uxQueueLength, UBaseType_t uxItemSize)
{
    configASSERT(uxQueueLength > 0);
    return host_queue_create(uxQueueLength, uxItemSize);
}

void vQueueDelete(QueueHandle_t xQueue)
{
    host_monitor_destroy(&xQueue->monitor);
    free(xQueue->items);
    free(xQueue);
}

static unsigned char *slot(QueueHandle_t queue, UBaseType_t index)
{
    return queue->items + (size_t)(index % queue->length) * queue->item_size;
}

static void put_last(QueueHandle_t queue, const void *item)
{
    memcpy(slot(queue, queue->head + queue->count), item, queue->item_size);
    queue->count++;
}

static void put_first(QueueHandle_t queue, const void *item)
{
    queue->head = (queue->head + queue->length - 1) % queue->length;
    memcpy(slot(queue, queue->head), item, queue->item_size);
    queue->count++;
}

static BaseType_t send(QueueHandle_t queue, const void *item, TickType_t ticks,
                       void (*put)(QueueHandle_t, const void *))
{
    int64_t deadline = host_deadline_of_ticks(ticks);
    host_monitor_lock(&queue->monitor);
    while (queue->count == queue->length && host_monitor_wait_until(&queue->monitor, deadline)) {
    }
    bool has_room = queue->count < queue->length;
    if (has_room) {
        put(queue, item);
        host_monitor_notify(&queue->monitor);
    }
    host_monitor_unlock(&queue->monitor);
    return has_room ? pdTRUE : errQUEUE_FULL;
}

BaseType_t xQueueSendToBack(QueueHandle_t xQueue, const void *pvItemToQueue,
                            TickType_t xTicksToWait)
{
    return send(xQueue, pvItemToQueue, xTicksToWait, put_last);
}

BaseType_t xQueueSendToFront(QueueHandle_t xQueue, const void *pvItemToQueue,
                             TickType_t xTicksToWait)
{
    return send(xQueue, pvItemToQueue, xTicksToWait, put_first);
}

BaseType_t xQueueOverwrite(QueueHandle_t xQueue, const void *pvItemToQueue)
{
    configASSERT(xQueue->length == 1);
    host_monitor_lock(&xQueue->monitor);
    xQueue->count = 0;
    put_last(xQueue, pvItemToQueue);
    host_monitor_notify(&xQueue->monitor);
    host_monitor_unlock(&xQueue->monitor);
    return pdPASS;
}

static BaseType_t take(QueueHandle_t queue, void *buffer, TickType_t ticks, bool is_peek)
{
    int64_t deadline = host_deadline_of_ticks(ticks);
    host_monitor_lock(&queue->monitor);
    while (queue->count == 0 && host_monitor_wait_until(&queue->monitor, deadline)) {
    }
    bool has_item = queue->count > 0;
    if (has_item) {
        memcpy(buffer, slot(queue, queue->head), queue->item_size);
    }
    if (has_item && !is_peek) {
        queue->head = (queue->head + 1) % queue->length;
        queue->count--;
        host_monitor_notify(&queue->monitor);
    }
    host_monitor_unlock(&queue->monitor);
    return has_item ? pdTRUE : errQUEUE_EMPTY;
}

BaseType_t xQueueReceive(QueueHandle_t xQueue, void *pvBuffer, TickType_t xTicksToWait)
{
    return take(xQueue, pvBuffer, xTicksToWait, false);
}

BaseType_t xQueuePeek(QueueHandle_t xQueue, void *pvBuffer, TickType_t xTicksToWait)
{
    return take(xQueue, pvBuffer, xTicksToWait, true);
}

BaseType_t xQueueReset(QueueHandle_t xQueue)
{
    host_monitor_lock(&xQueue->monitor);
    xQueue->count = 0;
    xQueue->head = 0;
    host_monitor_notify(&xQueue->monitor);
    host_monitor_unlock(&xQueue->monitor);
    return pdPASS;
}

UBaseType_t uxQueueMessagesWaiting(QueueHandle_t xQueue)
{
    host_monitor_lock(&xQueue->monitor);
    UBaseType_t count = xQueue->count;
    host_monitor_unlock(&xQueue->monitor);
    return count;
}

UBaseType_t uxQueueSpacesAvailable(QueueHandle_t xQueue)
{
    return xQueue->length - uxQueueMessagesWaiting(xQueue);
}
