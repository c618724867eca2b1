/* FreeRTOS tasks as pthreads, with task notifications. */
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host_monitor.h"
#include "host_stack.h"

struct tskTaskControlBlock {
    char name[configMAX_TASK_NAME_LEN];
    TaskFunction_t code;
    void *parameters;
    host_stack_t *stack; /* NULL: no task, but a library's thread that asked who it is */
    jmp_buf deleted;
    host_monitor_t monitor;
    uint32_t notification;
};

static __thread TaskHandle_t t_current;

static TaskHandle_t new_task(const char *name)
{
    TaskHandle_t task = calloc(1, sizeof *task);
    if (task == NULL) {
        return NULL;
    }
    snprintf(task->name, sizeof task->name, "%s", name ? name : "");
    host_monitor_init(&task->monitor);
    return task;
}

static void free_task(TaskHandle_t task)
{
    host_monitor_destroy(&task->monitor);
    free(task);
}

static void run_task(void *argument)
{
    t_current = argument;
    /* pthread_exit() would unwind the stack, for which it loads a library: on the task's stack. */
    if (setjmp(t_current->deleted) == 0) {
        t_current->code(t_current->parameters);
        fprintf(stderr, "FreeRTOS task \"%s\" should not return, aborting now\n", t_current->name);
        abort();
    }
    host_stack_check();
    free_task(t_current);
}

BaseType_t xTaskCreate(TaskFunction_t pxTaskCode, const char *pcName, uint32_t usStackDepth,
                       void *pvParameters, UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask)
{
    (void)uxPriority;
    TaskHandle_t task = new_task(pcName);
    if (task == NULL) {
        return pdFAIL;
    }
    task->code = pxTaskCode;
    task->parameters = pvParameters;
    task->stack = host_stack_create(task->name, usStackDepth);
    if (pxCreatedTask != NULL) {
        *pxCreatedTask = task; /* the task may use its handle before we return */
    }
    if (task->stack == NULL || !host_stack_start(task->stack, run_task, task)) {
        free_task(task);
        return pdFAIL;
    }
    return pdPASS;
}

void vTaskDelete(TaskHandle_t xTaskToDelete)
{
    if (t_current == NULL || (xTaskToDelete != NULL && xTaskToDelete != t_current)) {
        fprintf(stderr, "vTaskDelete of another task is not supported on the host\n");
        abort();
    }
    longjmp(t_current->deleted, 1);
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask)
{
    TaskHandle_t task = xTask != NULL ? xTask : xTaskGetCurrentTaskHandle();
    return task->stack != NULL ? host_stack_unused(task->stack) : 0;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    if (t_current == NULL) {
        t_current = new_task("host"); /* a library's thread, or main */
    }
    return t_current;
}

static void sleep_until(int64_t uptime_us)
{
    for (int64_t left = uptime_us - host_uptime_us(); left > 0;
         left = uptime_us - host_uptime_us()) {
        struct timespec pause = {.tv_sec = left / 1000000, .tv_nsec = (left % 1000000) * 1000};
        nanosleep(&pause, NULL);
    }
}

void vTaskDelay(TickType_t xTicksToDelay)
{
    host_stack_check();
    sleep_until(host_deadline_of_ticks(xTicksToDelay));
}

BaseType_t xTaskNotifyGive(TaskHandle_t xTaskToNotify)
{
    host_monitor_lock(&xTaskToNotify->monitor);
    xTaskToNotify->notification++;
    host_monitor_notify(&xTaskToNotify->monitor);
    host_monitor_unlock(&xTaskToNotify->monitor);
    return pdPASS;
}

uint32_t ulTaskNotifyTake(BaseType_t xClearCountOnExit, TickType_t xTicksToWait)
{
    TaskHandle_t task = xTaskGetCurrentTaskHandle();
    int64_t deadline = host_deadline_of_ticks(xTicksToWait);
    host_monitor_lock(&task->monitor);
    while (task->notification == 0 && host_monitor_wait_until(&task->monitor, deadline)) {
    }
    uint32_t value = task->notification;
    if (value > 0) {
        task->notification = xClearCountOnExit ? 0 : value - 1;
    }
    host_monitor_unlock(&task->monitor);
    return value;
}

void esp_host_assert_failed(const char *file, int line, const char *expression)
{
    fprintf(stderr, "assert failed: %s:%d (%s)\n", file, line, expression);
    abort();
}
