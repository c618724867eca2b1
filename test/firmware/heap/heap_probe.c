#include "heap_probe.h"

#include "../../../firmware/main/json_memory.h"

#undef malloc
#undef calloc
#undef free

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    _Alignas(16) size_t size; /* 0: of somebody else, through cJSON */
} block_t;

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t s_used;
static size_t s_peak;
static int s_fd = -1;
static _Thread_local int s_depth;

static void count(size_t taken, size_t given)
{
    pthread_mutex_lock(&s_lock);
    s_used = s_used + taken - given;
    if (s_used > s_peak && s_fd >= 0) {
        char text[32];
        s_peak = s_used;
        int length = snprintf(text, sizeof text, "%zu\n", s_peak);
        if (pwrite(s_fd, text, (size_t)length, 0) != length) {
            abort();
        }
    }
    pthread_mutex_unlock(&s_lock);
}

static void *take(size_t size, bool is_ours)
{
    block_t *block = malloc(sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    block->size = is_ours ? size : 0;
    count(block->size, 0);
    return block + 1;
}

void *probe_malloc(size_t size)
{
    return take(size, true);
}

void *probe_calloc(size_t count, size_t size)
{
    void *memory = take(count * size, true);
    return memory != NULL ? memset(memory, 0, count * size) : NULL;
}

void probe_free(void *memory)
{
    if (memory != NULL) {
        block_t *block = (block_t *)memory - 1;
        count(0, block->size);
        free(block);
    }
}

void probe_enter(void)
{
    s_depth++;
}

void probe_leave(void)
{
    s_depth--;
}

void json_memory_init(void)
{
}

unsigned json_memory_failures(void)
{
    return 0;
}

static void *take_for_cjson(size_t size)
{
    return take(size, s_depth > 0);
}

__attribute__((constructor)) static void start(void)
{
    cJSON_Hooks hooks = {.malloc_fn = take_for_cjson, .free_fn = probe_free};
    const char *path = getenv("PROV_HEAP_FILE");
    cJSON_InitHooks(&hooks);
    if (path != NULL) {
        s_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
}
