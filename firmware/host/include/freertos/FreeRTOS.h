/* FreeRTOS types and ticks. One pthread per task; the kernel is the scheduler. */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_attr.h"
#include "esp_bit_defs.h"

typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t StackType_t; /* ESP-IDF counts stacks in bytes */

#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS (pdTRUE)
#define pdFAIL (pdFALSE)
#define errQUEUE_EMPTY ((BaseType_t)0)
#define errQUEUE_FULL ((BaseType_t)0)

/* ESP-IDF's default CONFIG_FREERTOS_HZ. Fixed here: the port is not rebuilt for a new sdkconfig. */
#define configTICK_RATE_HZ 100
#define configMAX_PRIORITIES 25
#define configMAX_TASK_NAME_LEN 16
#define configMINIMAL_STACK_SIZE 1536
#define portTICK_PERIOD_MS ((TickType_t)(1000 / configTICK_RATE_HZ))
#define portMAX_DELAY ((TickType_t)0xffffffffUL)
#define pdMS_TO_TICKS(xTimeInMs)                                                                   \
    ((TickType_t)(((uint64_t)(xTimeInMs) * (uint64_t)configTICK_RATE_HZ) / (uint64_t)1000U))
#define pdTICKS_TO_MS(xTicks)                                                                      \
    ((TickType_t)(((uint64_t)(xTicks) * (uint64_t)1000U) / (uint64_t)configTICK_RATE_HZ))

#define tskNO_AFFINITY ((BaseType_t)0x7FFFFFFF)
#define portNUM_PROCESSORS 2

#define configASSERT(x)                                                                            \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            esp_host_assert_failed(__FILE__, __LINE__, #x);                                        \
        }                                                                                          \
    } while (0)

void esp_host_assert_failed(const char *file, int line, const char *expression)
    __attribute__((__noreturn__));

/* A critical section excludes the other tasks that use the same spinlock, as on two cores. */
typedef struct {
    pthread_mutex_t mutex;
} portMUX_TYPE;

#define portMUX_INITIALIZER_UNLOCKED                                                               \
    {                                                                                              \
        .mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP                                            \
    }
#define portENTER_CRITICAL(mux) ((void)pthread_mutex_lock(&(mux)->mutex))
#define portEXIT_CRITICAL(mux) ((void)pthread_mutex_unlock(&(mux)->mutex))
#define taskENTER_CRITICAL(mux) portENTER_CRITICAL(mux)
#define taskEXIT_CRITICAL(mux) portEXIT_CRITICAL(mux)
#define portENTER_CRITICAL_ISR(mux) portENTER_CRITICAL(mux)
#define portEXIT_CRITICAL_ISR(mux) portEXIT_CRITICAL(mux)
#define portYIELD_FROM_ISR(...) ((void)0)
