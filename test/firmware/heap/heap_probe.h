/*
 * Goes before every file of firmware/main in a special host build: counts the heap that our own code
 * holds, directly and through cJSON, and nobody else's.
 */
#pragma once

#include <stdlib.h>

#include "cJSON.h"

void *probe_malloc(size_t size);
void *probe_calloc(size_t count, size_t size);
void probe_free(void *block);
/* Between them, what cJSON allocates in this thread is ours. */
void probe_enter(void);
void probe_leave(void);

#define malloc(size) probe_malloc(size)
#define calloc(count, size) probe_calloc(count, size)
#define free(block) probe_free(block)

#define OURS(call)                     \
    __extension__({                    \
        probe_enter();                 \
        __typeof__(call) made_ = call; \
        probe_leave();                 \
        made_;                         \
    })

#define cJSON_AddArrayToObject(...) OURS(cJSON_AddArrayToObject(__VA_ARGS__))
#define cJSON_AddBoolToObject(...) OURS(cJSON_AddBoolToObject(__VA_ARGS__))
#define cJSON_AddNullToObject(...) OURS(cJSON_AddNullToObject(__VA_ARGS__))
#define cJSON_AddNumberToObject(...) OURS(cJSON_AddNumberToObject(__VA_ARGS__))
#define cJSON_AddObjectToObject(...) OURS(cJSON_AddObjectToObject(__VA_ARGS__))
#define cJSON_AddStringToObject(...) OURS(cJSON_AddStringToObject(__VA_ARGS__))
#define cJSON_AddItemToObject(...) OURS(cJSON_AddItemToObject(__VA_ARGS__))
#define cJSON_CreateObject() OURS(cJSON_CreateObject())
#define cJSON_CreateString(...) OURS(cJSON_CreateString(__VA_ARGS__))
#define cJSON_ParseWithLengthOpts(...) OURS(cJSON_ParseWithLengthOpts(__VA_ARGS__))
#define cJSON_PrintUnformatted(...) OURS(cJSON_PrintUnformatted(__VA_ARGS__))
