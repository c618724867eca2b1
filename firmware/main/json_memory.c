#include "json_memory.h"

#include <stdlib.h>

#include "cJSON.h"
#include "esp_heap_caps.h"
#include "secret_wipe.h"

static void wipe_and_free(void *block)
{
    if (block != NULL) {
        secret_free(block, heap_caps_get_allocated_size(block));
    }
}

void json_memory_init(void)
{
    cJSON_Hooks hooks = {.malloc_fn = malloc, .free_fn = wipe_and_free};
    cJSON_InitHooks(&hooks);
}
