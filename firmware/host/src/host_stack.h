/*
 * The stack that a task of the chip has, on this machine: as large as the task asked for, and what frames of 64 bits
 * and glibc need more, above pages that may not be touched. A build under a sanitizer, whose frames are larger again,
 * gives every task the same ample stack and measures none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct host_stack host_stack_t;

/** What a thread of the port's own asks for, which the chip does not have: room for any library. */
#define HOST_OWN_STACK 0

/** What ESP-IDF adds to the stacks of its own tasks (TASK_EXTRA_STACK_SIZE in esp_task.h). */
#define HOST_TASK_EXTRA_STACK 512

/** A stack of `chip_bytes`, taken from the chip's heap; NULL without memory. */
host_stack_t *host_stack_create(const char *task, uint32_t chip_bytes);
/** Run `code` in a thread on it; the stack goes by itself when `code` has returned. False: it is free()d already. */
bool host_stack_start(host_stack_t *stack, void (*code)(void *), void *argument);
/** The least that was ever left of it, in bytes of the chip. */
uint32_t host_stack_unused(const host_stack_t *stack);
/** End the process with FreeRTOS' words when the end of the calling task's stack is overwritten. */
void host_stack_check(void);
