/* application/x-www-form-urlencoded text to an object of strings. Pure. */
#pragma once

#include <stddef.h>

#include "cJSON.h"

/** More fields than this are no form of ours; it bounds the heap that one request can take. */
#define FORM_FIELDS_MAX 16

typedef enum {
    FORM_OK,
    FORM_MALFORMED, /* a broken escape, a field without a name, or too many fields */
    FORM_NO_MEMORY,
    FORM_NUL,       /* a NUL, as %00 or as it is: it would cut a value short */
} form_verdict_t;

/**
 * Decodes `body` (URL Standard, section 5.1; bytes stay bytes, since an SSID need not be UTF-8). The
 * object holds every occurrence of a repeated name. NULL unless FORM_OK; the caller deletes it.
 */
cJSON *form_parse(const char *body, size_t length, form_verdict_t *verdict);
