/* An incremental parser for HTTP/1.1 responses: bytes in, headers and body out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_RESPONSE_MAX_LINE 8192

typedef struct {
    void (*on_header)(void *owner, char *key, char *value);
    void (*on_body)(void *owner, char *data, size_t length);
    void *owner;
} http_response_sink_t;

typedef enum {
    HTTP_RESPONSE_STATUS,
    HTTP_RESPONSE_HEADERS,
    HTTP_RESPONSE_BODY,       /* Content-Length bytes, or all until the connection ends */
    HTTP_RESPONSE_CHUNK_SIZE,
    HTTP_RESPONSE_CHUNK_DATA,
    HTTP_RESPONSE_CHUNK_END,  /* the CR LF after a chunk */
    HTTP_RESPONSE_TRAILERS,
    HTTP_RESPONSE_DONE,
    HTTP_RESPONSE_BROKEN,
} http_response_state_t;

typedef struct {
    http_response_state_t state;
    bool has_no_body; /* the answer to HEAD */
    int status;
    int64_t content_length; /* -1: not given */
    bool is_chunked;
    bool is_keep_alive;
    int64_t remaining; /* of the body or the chunk */
    int64_t received;  /* body bytes so far */
    char line[HTTP_RESPONSE_MAX_LINE];
    size_t line_length;
} http_response_t;

void http_response_begin(http_response_t *response, bool has_no_body);
/** Parse `length` bytes; the sink's strings live only during its calls. */
void http_response_feed(http_response_t *response, char *data, size_t length,
                        const http_response_sink_t *sink);
/** The connection ended: complete only a body that had no length of its own. */
void http_response_end(http_response_t *response);
/** Whether the head is there. */
bool http_response_has_head(const http_response_t *response);
