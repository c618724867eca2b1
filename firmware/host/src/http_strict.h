/*
 * http_parser as ESP-IDF 5.0 to 6.1 builds it: 2.7.0, strict, and it knows ICY. The library of this machine is
 * 2.9.4, not strict. What the two judge differently is judged here; all else is the library's own doing.
 * test/golden/http-inputs.json holds what the chip's parser makes of some hundreds of inputs.
 */
#pragma once

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A head goes through the library in copies of this size, which callbacks never see: their pointers are into what the
   caller gave. */
#define HTTP_STRICT_COPY 1024

typedef struct {
    http_parser parser; /* first: callbacks get it, and `parser.data` is theirs */
    /* Of the message. */
    int state;
    unsigned version[2]; /* major, minor */
    size_t index;        /* into what the state matches or counts */
    char first;          /* letter of the method */
    int match;           /* the header's names that it may still be */
    int kind;            /* of the header's value */
    bool is_skipping;    /* the rest of the value, unseen */
    bool has_length;
    bool is_chunked;
    bool is_trailing;
    bool is_complete;
    bool is_dead; /* it was the last one on this connection */
    uint64_t length;
    enum http_errno refusal;
    /* Of one call. */
    const http_parser_settings *settings;
    const char *original; /* what the bytes in `copy` stand for */
    size_t copied;
    char copy[HTTP_STRICT_COPY + 2];
} http_strict_t;

/** `parser.data` is left as it is. */
void http_strict_init(http_strict_t *strict, enum http_parser_type type);
/**
 * As http_parser_execute(): an errno in `parser` when it is refused or a callback paused, which those of the body and of
 * the message's end may. `length` 0 is the end of the connection.
 */
size_t http_strict_execute(http_strict_t *strict, const http_parser_settings *settings, const char *data, size_t length);
/** As http_parser_parse_url(): 0 when the chip takes it. */
int http_strict_parse_url(const char *url, size_t length, int is_connect, struct http_parser_url *parts);
