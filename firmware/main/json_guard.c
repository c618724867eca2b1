#include "json_guard.h"

#include <string.h>

#include "json_memory.h"

#define MAX_DEPTH 8
/* Commas: ours have a handful. */
#define MAX_COMMAS 64

json_guard_t json_guard(const char *text, size_t length, unsigned max_depth)
{
    unsigned depth = 0;
    unsigned commas = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\0' || (in_string && c < 0x20)) {
            return JSON_GUARD_MALFORMED;
        }
        if (!in_string) {
            if (c == '"') {
                in_string = true;
            } else if (c == '{' || c == '[') {
                if (++depth > max_depth) {
                    return JSON_GUARD_TOO_DEEP;
                }
            } else if ((c == '}' || c == ']') && depth > 0) {
                depth--;
            } else if (c == ',' && ++commas > MAX_COMMAS) {
                return JSON_GUARD_TOO_MANY;
            }
        } else if (c == '"') {
            in_string = false;
        } else if (c == '\\') {
            if (length - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0) {
                return JSON_GUARD_NUL;
            }
            i++; /* the escaped character cannot end the string */
            if (i < length && (unsigned char)text[i] < 0x20) {
                return JSON_GUARD_MALFORMED;
            }
        }
    }
    return in_string ? JSON_GUARD_MALFORMED : JSON_GUARD_OK;
}

static bool only_whitespace(const char *from, const char *end)
{
    for (; from < end; from++) {
        if (*from != ' ' && *from != '\t' && *from != '\r' && *from != '\n') {
            return false;
        }
    }
    return true;
}

cJSON *json_parse_object(const char *text, size_t length, json_guard_t *verdict)
{
    *verdict = json_guard(text, length, MAX_DEPTH);
    if (*verdict != JSON_GUARD_OK) {
        return NULL;
    }
    const char *end = NULL;
    unsigned failures = json_memory_failures();
    cJSON *root = cJSON_ParseWithLengthOpts(text, length, &end, false);
    if (root != NULL && (!cJSON_IsObject(root) || !only_whitespace(end, text + length))) {
        cJSON_Delete(root);
        root = NULL;
    }
    if (root == NULL) {
        *verdict = json_memory_failures() != failures ? JSON_GUARD_NO_MEMORY : JSON_GUARD_MALFORMED;
    }
    return root;
}

bool json_has_duplicate_keys(const cJSON *object)
{
    for (const cJSON *a = object->child; a != NULL; a = a->next) {
        for (const cJSON *b = a->next; b != NULL; b = b->next) {
            if (strcmp(a->string, b->string) == 0) {
                return true;
            }
        }
    }
    return false;
}
