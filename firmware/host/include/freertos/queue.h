/* Queues: copies of fixed-size items, blocking with a time limit in ticks. */
#pragma once

#include "freertos/FreeRTOS.h"

typedef struct QueueDefinition *QueueHandle_t;

QueueHandle_t xQueueCreate(UBaseType_t uxQueueLength, UBaseType_t uxItemSize);
void vQueueDelete(QueueHandle_t xQueue);
/** pdTRUE, or errQUEUE_FULL when no room appeared in time. */
BaseType_t xQueueSendToBack(QueueHandle_t xQueue, const void *pvItemToQueue,
                            TickType_t xTicksToWait);
BaseType_t xQueueSendToFront(QueueHandle_t xQueue, const void *pvItemToQueue,
                             TickType_t xTicksToWait);
/** For queues of length 1: replaces what is there. */
BaseType_t xQueueOverwrite(QueueHandle_t xQueue, const void *pvItemToQueue);
/** pdTRUE, or errQUEUE_EMPTY when nothing arrived in time. */
BaseType_t xQueueReceive(QueueHandle_t xQueue, void *pvBuffer, TickType_t xTicksToWait);
BaseType_t xQueuePeek(QueueHandle_t xQueue, void *pvBuffer, TickType_t xTicksToWait);
BaseType_t xQueueReset(QueueHandle_t xQueue);
UBaseType_t uxQueueMessagesWaiting(QueueHandle_t xQueue);
UBaseType_t uxQueueSpacesAvailable(QueueHandle_t xQueue);

#define xQueueSend(queue, item, ticks) xQueueSendToBack(queue, item, ticks)
#define xQueueSendFromISR(queue, item, woken) ((void)(woken), xQueueSendToBack(queue, item, 0))
#define xQueueSendToBackFromISR(queue, item, woken) xQueueSendFromISR(queue, item, woken)
