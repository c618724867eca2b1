/* A look at raw JSON text before cJSON sees it. Pure, allocation-free. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cJSON.h"

typedef enum {
    JSON_GUARD_OK,
    JSON_GUARD_MALFORMED, /* a control character or an unterminated string */
    JSON_GUARD_TOO_DEEP,
    JSON_GUARD_TOO_MANY, /* values: each costs cJSON some 50 bytes of heap, and the text perhaps two */
    JSON_GUARD_NO_MEMORY,
    JSON_GUARD_NUL, /* a NUL inside a string, spelled \u0000 */
} json_guard_t;

/**
 * Checks what cJSON does not: it recurses once per nesting level (CJSON_NESTING_LIMIT = 1000 would
 * overflow a task's stack) and turns \u0000 into an end of string, which would let "abc\u0000def"
 * pass as "abc".
 */
json_guard_t json_guard(const char *text, size_t length, unsigned max_depth);

/** Guards and parses `text`; NULL unless it is one complete JSON object. The caller deletes it. */
cJSON *json_parse_object(const char *text, size_t length, json_guard_t *verdict);

/** True when two members of `object` have the same name. */
bool json_has_duplicate_keys(const cJSON *object);
