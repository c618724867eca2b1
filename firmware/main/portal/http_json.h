/* JSON in and out of esp_http_server. */
#pragma once

#include <stddef.h>

#include "esp_http_server.h"
#include "http_framing.h"

/** Sends `json` with a status line such as "200 OK". */
esp_err_t http_json_send(httpd_req_t *req, const char *status_line, const char *json);

/** Sends `{"status":"error","code","message"}`. */
esp_err_t http_json_error(httpd_req_t *req, const char *status_line, const char *code, const char *message);

typedef enum {
    HTTP_BODY_OK,
    HTTP_BODY_WRONG_TYPE, /* another content type */
    HTTP_BODY_NO_MEMORY,
    HTTP_BODY_BROKEN,     /* the client went away or is too slow; the connection must be closed */
} http_body_t;

#define HTTP_TYPE_FORM "application/x-www-form-urlencoded"

/**
 * Reads a whole body of `type` into a heap block of its `*length` and a NUL, which the caller wipes and frees; NULL
 * unless HTTP_BODY_OK. The gate lets none through that is longer than HTTP_BODY_MAX. No body at all is of any type.
 */
http_body_t http_body_read(httpd_req_t *req, const char *type, char **body, size_t *length);

/**
 * Reads on until the client has sent what it announced, within its deadline, so that it reads our answer instead of a
 * connection reset. ESP_FAIL = close the connection.
 */
esp_err_t http_body_discard(httpd_req_t *req);

/** The value of a request header; false, and an empty text, when it is absent, empty or longer. */
bool http_header_read(httpd_req_t *req, const char *name, char *out, size_t size);

/** The value of a request header on the heap; NULL when absent, longer than `max`, or out of memory. */
char *http_header_copy(httpd_req_t *req, const char *name, size_t max);
