/*
 * One connection of the HTTP client: libcurl resolves, connects and shakes hands, then its raw
 * send and receive carry our own requests. So each step has its own time limit and error code,
 * as in tcp_transport.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "esp_tls_errors.h"
#include "host_tls.h"

typedef struct {
    bool is_tls;
    const char *host;
    int port;
    int timeout_ms;
    host_tls_config_t tls;
} http_endpoint_t;

typedef struct {
    CURL *curl; /* NULL: closed */
    const http_endpoint_t *endpoint; /* during open only */
    esp_err_t setup_error;
    host_tls_trace_t trace;
    esp_tls_last_error_t error; /* of the last failure */
} http_connection_t;

enum {
    HTTP_CONNECTION_TIMEOUT = 0,
    HTTP_CONNECTION_CLOSED = -1, /* the peer said FIN */
    HTTP_CONNECTION_FAILED = -2,
};

/** @return false with `error` filled in. */
bool http_connection_open(http_connection_t *connection, const http_endpoint_t *endpoint);
/** Bytes read, or one of the codes above. */
int http_connection_read(http_connection_t *connection, char *buffer, size_t size, int timeout_ms);
/** Bytes written, or one of the codes above. */
int http_connection_write(http_connection_t *connection, const char *data, size_t size,
                          int timeout_ms);
void http_connection_close(http_connection_t *connection);
