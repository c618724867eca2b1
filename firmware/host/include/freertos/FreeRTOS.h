/* FreeRTOS types and ticks. One pthread per task; the kernel is the scheduler. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_bit_defs.h"

typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;

#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS (pdTRUE)
#define pdFAIL (pdFALSE)
#define errQUEUE_EMPTY ((BaseType_t)0)
#define errQUEUE_FULL ((BaseType_t)0)

/* ESP-IDF's default CONFIG_FREERTOS_HZ. Fixed here: the port is not rebuilt for a new sdkconfig. */
#define configTICK_RATE_HZ 100
#define configMAX_TASK_NAME_LEN 16
#define portTICK_PERIOD_MS ((TickType_t)(1000 / configTICK_RATE_HZ))
#define portMAX_DELAY ((TickType_t)0xffffffffUL)
#define pdMS_TO_TICKS(xTimeInMs)                                                                   \
    ((TickType_t)(((uint64_t)(xTimeInMs) * (uint64_t)configTICK_RATE_HZ) / (uint64_t)1000U))

#define configASSERT(x)                                                                            \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            esp_host_assert_failed(__FILE__, __LINE__, #x);                                        \
        }                                                                                          \
    } while (0)

void esp_host_assert_failed(const char *file, int line, const char *expression)
    __attribute__((__noreturn__));
