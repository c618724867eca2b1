#include "json_memory.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cJSON.h"
#include "esp_heap_caps.h"
#include "secret_wipe.h"

static atomic_uint s_failures;

static void *counted_malloc(size_t size)
{
    void *block = malloc(size);
    if (block == NULL) {
        atomic_fetch_add(&s_failures, 1);
    }
    return block;
}

static void wipe_and_free(void *block)
{
    if (block != NULL) {
        secret_free(block, heap_caps_get_allocated_size(block));
    }
}

void json_memory_init(void)
{
    cJSON_Hooks hooks = {.malloc_fn = counted_malloc, .free_fn = wipe_and_free};
    cJSON_InitHooks(&hooks);
}

unsigned json_memory_failures(void)
{
    return atomic_load(&s_failures);
}
