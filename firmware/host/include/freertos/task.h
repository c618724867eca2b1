/* Tasks, delays and task notifications. */
#pragma once

#include "freertos/FreeRTOS.h"

typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *);

typedef enum {
    eNoAction = 0,
    eSetBits,
    eIncrement,
    eSetValueWithOverwrite,
    eSetValueWithoutOverwrite,
} eNotifyAction;

#define tskIDLE_PRIORITY ((UBaseType_t)0U)

/** `usStackDepth` in bytes. The priority is recorded but not enforced. */
BaseType_t xTaskCreate(TaskFunction_t pxTaskCode, const char *pcName, uint32_t usStackDepth,
                       void *pvParameters, UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask);
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t pxTaskCode, const char *pcName,
                                   uint32_t usStackDepth, void *pvParameters,
                                   UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask,
                                   BaseType_t xCoreID);
/** Only the calling task (NULL or its own handle) can be deleted. */
void vTaskDelete(TaskHandle_t xTaskToDelete);
void vTaskDelay(TickType_t xTicksToDelay);
BaseType_t xTaskDelayUntil(TickType_t *pxPreviousWakeTime, TickType_t xTimeIncrement);
#define vTaskDelayUntil(previous, increment) ((void)xTaskDelayUntil(previous, increment))
TickType_t xTaskGetTickCount(void);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
char *pcTaskGetName(TaskHandle_t xTaskToQuery);
/** Always the depth it was created with: stacks are not measured on the host. */
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask);
#define taskYIELD() vTaskDelay(0)

BaseType_t xTaskNotify(TaskHandle_t xTaskToNotify, uint32_t ulValue, eNotifyAction eAction);
BaseType_t xTaskNotifyWait(uint32_t ulBitsToClearOnEntry, uint32_t ulBitsToClearOnExit,
                           uint32_t *pulNotificationValue, TickType_t xTicksToWait);
uint32_t ulTaskNotifyTake(BaseType_t xClearCountOnExit, TickType_t xTicksToWait);
#define xTaskNotifyGive(xTaskToNotify) xTaskNotify((xTaskToNotify), 0, eIncrement)
#define vTaskNotifyGiveFromISR(xTaskToNotify, pxWoken) ((void)xTaskNotifyGive(xTaskToNotify))
