/* ESP-IDF and FreeRTOS for one task that is run by hand (runner_task.c), and the time, which passes when a test says so. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "device_clock.h"
#include "esp_log.h"
#include "esp_random.h"
#include "esp_system.h"
#include "fakes.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "prov_event.h"

#define QUEUE_MAX 24
#define BOOTED_AT INT64_C(1750000000)

static int64_t s_uptime_ms;
static prov_msg_t s_queue[QUEUE_MAX];
static size_t s_queued;
jmp_buf fakes_restarted;

void fakes_pass(int64_t ms)
{
    s_uptime_ms += ms;
}

bool fakes_has_mail(void)
{
    return s_queued > 0;
}

int64_t device_clock_now(void)
{
    return BOOTED_AT + s_uptime_ms / 1000;
}

uint32_t esp_random(void)
{
    return 7;
}

void esp_restart(void)
{
    fakes_note("restart");
    longjmp(fakes_restarted, 1);
}

int64_t device_clock_uptime_ms(void)
{
    return s_uptime_ms;
}

void esp_log_host_line(esp_log_level_t level, const char *tag, const char *format, ...)
{
    if (level > ESP_LOG_INFO) {
        return;
    }
    va_list args;
    va_start(args, format);
    printf("(%lld) %s: ", (long long)s_uptime_ms, tag);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return (SemaphoreHandle_t)s_queue;
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
    return length == QUEUE_MAX && item_size == sizeof s_queue[0] ? (QueueHandle_t)s_queue : NULL;
}

BaseType_t xQueueSendToBack(QueueHandle_t queue, const void *item, TickType_t ticks)
{
    (void)queue, (void)ticks;
    if (s_queued == QUEUE_MAX) {
        return pdFALSE;
    }
    s_queue[s_queued++] = *(const prov_msg_t *)item;
    return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks)
{
    (void)queue, (void)ticks;
    if (s_queued == 0) {
        return pdFALSE;
    }
    *(prov_msg_t *)item = s_queue[0];
    memmove(&s_queue[0], &s_queue[1], --s_queued * sizeof s_queue[0]);
    return pdTRUE;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack, void *arg, UBaseType_t priority,
                       TaskHandle_t *task)
{
    (void)code, (void)name, (void)stack, (void)arg, (void)priority, (void)task;
    return pdPASS;
}

void vTaskDelay(TickType_t ticks)
{
    fakes_pass((int64_t)ticks * portTICK_PERIOD_MS);
}
