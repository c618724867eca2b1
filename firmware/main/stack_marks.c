#include "stack_marks.h"

#include <stdatomic.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

/* Written by its own task only. */
static atomic_uint s_least[STACK_MARK_COUNT];

void stack_marks_note(stack_mark_t task)
{
    unsigned unused = (unsigned)uxTaskGetStackHighWaterMark(NULL);
    unsigned least = atomic_load(&s_least[task]);
    if (least == 0 || unused < least) {
        atomic_store(&s_least[task], unused);
    }
}

const char *stack_marks_name(stack_mark_t task)
{
#define NAME(id, name) name,
    static const char *const NAMES[] = {STACK_MARK_TASKS(NAME)};
#undef NAME
    return NAMES[task];
}

uint32_t stack_marks_least(stack_mark_t task)
{
    return atomic_load(&s_least[task]);
}
