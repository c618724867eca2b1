/* How much of its stack each task has never used: by it one knows how close a device in the field is to an overflow. */
#pragma once

#include <stdint.h>

/** The tasks that run code of ours, by the names that they have in FreeRTOS. */
#define STACK_MARK_TASKS(X) \
    X(MAIN, "main")         \
    X(PROV, "prov")         \
    X(NET, "prov_net")      \
    X(MQTT, "mqtt_task")    \
    X(HTTPD, "httpd")       \
    X(DNS, "captive_dns")   \
    X(EVENTS, "sys_evt")

#define STACK_MARK_ENUM(id, name) STACK_MARK_##id,
typedef enum { STACK_MARK_TASKS(STACK_MARK_ENUM) STACK_MARK_COUNT } stack_mark_t;
#undef STACK_MARK_ENUM

/**
 * Of the calling task, which is `task`. Each notes its own: a task that another one looks up by its name may be
 * deleted meanwhile. It reads what is unused of the stack, so it is for once per message or request.
 */
void stack_marks_note(stack_mark_t task);

const char *stack_marks_name(stack_mark_t task);

/** The least that has been left since boot, in bytes; 0 when the task has not noted any yet. */
uint32_t stack_marks_least(stack_mark_t task);
