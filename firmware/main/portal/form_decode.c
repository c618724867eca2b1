#include "form_decode.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "secret_wipe.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/** Decodes `length` bytes into `out`, which has room for them and a NUL. */
static form_verdict_t decode(const char *text, size_t length, char *out)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            int high = length - i > 2 ? hex_digit(text[i + 1]) : -1;
            int low = length - i > 2 ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return FORM_MALFORMED;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0') {
            return FORM_NUL;
        }
        *out++ = c;
    }
    *out = '\0';
    return FORM_OK;
}

/** Adds `name=value`; `scratch` has room for all of it. */
static form_verdict_t add_field(cJSON *root, const char *field, size_t length, char *scratch)
{
    const char *equals = memchr(field, '=', length);
    size_t name_length = equals != NULL ? (size_t)(equals - field) : length;
    size_t value_at = equals != NULL ? name_length + 1 : length;
    char *value = scratch + name_length + 1;
    form_verdict_t verdict = decode(field, name_length, scratch);
    if (verdict == FORM_OK) {
        verdict = decode(field + value_at, length - value_at, value);
    }
    if (verdict != FORM_OK) {
        return verdict;
    }
    if (scratch[0] == '\0') {
        return FORM_MALFORMED;
    }
    return cJSON_AddStringToObject(root, scratch, value) != NULL ? FORM_OK : FORM_NO_MEMORY;
}

static form_verdict_t add_fields(cJSON *root, const char *body, size_t length, char *scratch)
{
    size_t at = 0;
    for (int count = 0; at < length; count++) {
        const char *end = memchr(body + at, '&', length - at);
        size_t field_length = end != NULL ? (size_t)(end - body) - at : length - at;
        if (count == FORM_FIELDS_MAX) {
            return FORM_MALFORMED;
        }
        form_verdict_t verdict = field_length > 0 ? add_field(root, body + at, field_length, scratch) : FORM_OK;
        if (verdict != FORM_OK) {
            return verdict;
        }
        at += field_length + 1;
    }
    return FORM_OK;
}

cJSON *form_parse(const char *body, size_t length, form_verdict_t *verdict)
{
    *verdict = FORM_NO_MEMORY;
    cJSON *root = cJSON_CreateObject();
    char *scratch = malloc(length + 2);
    if (root != NULL && scratch != NULL) {
        *verdict = add_fields(root, body, length, scratch);
    }
    secret_free(scratch, length + 2); /* passwords and tokens went through it */
    if (*verdict != FORM_OK) {
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}
