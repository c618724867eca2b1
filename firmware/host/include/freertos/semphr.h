/* Semaphores and mutexes. */
#pragma once

#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"

typedef QueueHandle_t SemaphoreHandle_t;

SemaphoreHandle_t xSemaphoreCreateMutex(void);
SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void);
SemaphoreHandle_t xSemaphoreCreateBinary(void);
SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t uxMaxCount, UBaseType_t uxInitialCount);
void vSemaphoreDelete(SemaphoreHandle_t xSemaphore);

/** pdTRUE, or pdFALSE when it was not free in time. */
BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xTicksToWait);
/** pdFALSE when full. A mutex must be given by the task that took it. */
BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore);
BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t xMutex, TickType_t xTicksToWait);
BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t xMutex);
UBaseType_t uxSemaphoreGetCount(SemaphoreHandle_t xSemaphore);

#define xSemaphoreGiveFromISR(semaphore, woken) ((void)(woken), xSemaphoreGive(semaphore))
