/* How the headers of a request say where its body ends. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "prov_limits.h"

typedef enum {
    HTTP_FRAMING_OK,
    HTTP_FRAMING_CODED,     /* a Transfer-Encoding: nothing here can read it */
    HTTP_FRAMING_TOO_LONG,  /* more than HTTP_BODY_MAX */
    HTTP_FRAMING_MALFORMED, /* no number, or not the one that the server has understood */
} http_framing_t;

/**
 * Judges the text of Content-Length (NULL = no such header). The server's own `content_len` has 32 bits on the chip,
 * where 4294967296 is 0, and where a body in chunks counts as none: neither may pass for an empty body.
 */
http_framing_t http_framing_judge(bool is_coded, const char *length_text, size_t content_len);
