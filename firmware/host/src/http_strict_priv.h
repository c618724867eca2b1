/* Between the two files of http_strict.h: what a line's bytes are judged by, and what feeds the library. */
#pragma once

#include "http_strict.h"

typedef enum { /* of a message; its head ends with BODY */
    START, METHOD, BEFORE_URL, URL, BEFORE_VERSION, VERSION_NAME, ICY, MAJOR_FIRST, MAJOR, MINOR_FIRST, MINOR,
    STATUS, STATUS_LF, FIELD_START, FIELD, BEFORE_VALUE, EMPTY_LF, EMPTY_END, VALUE, VALUE_LF, VALUE_END, HEAD_LF,
    BODY, CHUNK_SIZE, CHUNK_LF, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF,
} http_strict_state_t;

enum { PASS = 256, SKIP }; /* what http_strict_judge() says besides a byte to put in the place of the one that came */

/** One byte of a line, in turn: PASS, SKIP, or what the library gets instead. It may set `refusal`. */
int http_strict_judge(http_strict_t *strict, unsigned char byte, bool is_buffer_start);
