#include "host_heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "host_oom.h"

/* What a byte of a chip's heap is here, in hundredths; measured, see "The virtual board" in CONTRIBUTING.md. */
#define HEAP_PERCENT 110
/* What is free when a chip starts its first task, before drivers: an ESP32-C3 with this firmware. */
#define CHIP_HEAP_BYTES (276 * 1024)
/* malloc's own word in front of each block, as the chip's heap has one. */
#define BLOCK_OVERHEAD sizeof(size_t)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);

static const int64_t CAPACITY = (int64_t)CHIP_HEAP_BYTES * HEAP_PERCENT / 100;
static _Atomic int64_t s_used;
static _Atomic int64_t s_most_used;
static __thread unsigned t_paused;

static void note_used(int64_t used)
{
    int64_t most = atomic_load(&s_most_used);
    while (used > most && !atomic_compare_exchange_weak(&s_most_used, &most, used)) {
    }
}

static bool take(size_t bytes)
{
    int64_t used = atomic_load(&s_used);
    do {
        if (bytes > (size_t)INT64_MAX / 2 || used + (int64_t)bytes > CAPACITY) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&s_used, &used, used + (int64_t)bytes));
    note_used(used + (int64_t)bytes);
    return true;
}

static void give(size_t bytes)
{
    atomic_fetch_sub(&s_used, (int64_t)bytes);
}

static size_t on_host(uint32_t chip_bytes)
{
    return (size_t)chip_bytes * HEAP_PERCENT / 100;
}

static uint32_t on_chip(int64_t host_bytes)
{
    return host_bytes > 0 ? (uint32_t)(host_bytes * 100 / HEAP_PERCENT) : 0;
}

bool host_heap_take(uint32_t chip_bytes)
{
    return take(on_host(chip_bytes));
}

void host_heap_give(uint32_t chip_bytes)
{
    give(on_host(chip_bytes));
}

uint32_t host_heap_free(void)
{
    return on_chip(CAPACITY - atomic_load(&s_used));
}

uint32_t host_heap_least_free(void)
{
    return on_chip(CAPACITY - atomic_load(&s_most_used));
}

void host_heap_pause(void)
{
    t_paused++;
}

void host_heap_resume(void)
{
    t_paused--;
}

static size_t size_of(void *block)
{
    return block != NULL ? malloc_usable_size(block) + BLOCK_OVERHEAD : 0;
}

/* What was allocated for `wanted` bytes counts as large as it became. */
static void *count(void *block, size_t wanted)
{
    size_t size = size_of(block);
    if (block == NULL) {
        give(wanted);
    } else if (size > wanted) {
        int64_t more = (int64_t)(size - wanted);
        note_used(atomic_fetch_add(&s_used, more) + more);
    } else {
        give(wanted - size);
    }
    return block;
}

static bool may_take(size_t size)
{
    if (!host_oom_fails() && take(size)) {
        return true;
    }
    errno = ENOMEM;
    return false;
}

void *__wrap_malloc(size_t size)
{
    if (t_paused > 0) {
        return __real_malloc(size);
    }
    return may_take(size) ? count(__real_malloc(size), size) : NULL;
}

void *__wrap_calloc(size_t number, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(number, each, &size)) {
        errno = ENOMEM;
        return NULL;
    }
    if (t_paused > 0) {
        return __real_calloc(number, each);
    }
    return may_take(size) ? count(__real_calloc(number, each), size) : NULL;
}

void *__wrap_realloc(void *block, size_t size)
{
    if (t_paused > 0) {
        return __real_realloc(block, size);
    }
    if (!may_take(size)) {
        return NULL;
    }
    size_t before = size_of(block);
    void *moved = count(__real_realloc(block, size), size);
    if (moved != NULL || size == 0) {
        give(before);
    }
    return moved;
}

void __wrap_free(void *block)
{
    if (t_paused == 0) {
        give(size_of(block));
    }
    __real_free(block);
}

char *__wrap_strndup(const char *text, size_t length)
{
    size_t size = strnlen(text, length);
    char *copy = __wrap_malloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}
