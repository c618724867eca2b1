/* Tasks, delays and task notifications. */
#pragma once

#include "freertos/FreeRTOS.h"

typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *);

#define tskIDLE_PRIORITY ((UBaseType_t)0U)
#define tskNO_AFFINITY ((BaseType_t)0x7FFFFFFF)

/** `usStackDepth` in bytes of the chip; see host_stack.h. The priority is recorded but not enforced. */
BaseType_t xTaskCreate(TaskFunction_t pxTaskCode, const char *pcName, uint32_t usStackDepth,
                       void *pvParameters, UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask);
/** Only the calling task (NULL or its own handle) can be deleted. */
void vTaskDelete(TaskHandle_t xTaskToDelete);
void vTaskDelay(TickType_t xTicksToDelay);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
/** The least that was ever left of a task's stack, in bytes of the chip; NULL: the calling task's. */
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask);

BaseType_t xTaskNotifyGive(TaskHandle_t xTaskToNotify);
uint32_t ulTaskNotifyTake(BaseType_t xClearCountOnExit, TickType_t xTicksToWait);
