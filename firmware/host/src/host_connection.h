/*
 * One outgoing connection, as tcp_transport and esp-tls make it: TCP, and above it mbedTLS with what the chip's
 * sdkconfig builds. Each step has a time limit of its own and fails with the codes of esp-tls. One task at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "esp_tls_errors.h"
#include "host_tls.h"
#include "host_socket.h"

typedef struct {
    host_socket_t socket;
    host_tls_t *tls; /* NULL: plain TCP */
    esp_tls_last_error_t error; /* of the last failure */
    int sock_errno; /* beside it; 0 when the socket had nothing to say */
} host_connection_t;

enum {
    HOST_CONNECTION_TIMEOUT = 0,
    HOST_CONNECTION_CLOSED = -1, /* the peer said FIN, or close_notify */
    HOST_CONNECTION_FAILED = -2,
};

/** @return false with `error` and `sock_errno` filled in, and everything closed again. */
bool host_connection_open(host_connection_t *connection, const host_endpoint_t *endpoint);
/** Bytes read (at least one), or one of the codes above. */
int host_connection_read(host_connection_t *connection, void *buffer, size_t size, int timeout_ms);
/** Bytes written (at least one), or one of the codes above. After a time-out, the same bytes must come again. */
int host_connection_write(host_connection_t *connection, const void *data, size_t size, int timeout_ms);
/** 1: a read would not wait, also for bytes that TLS has buffered; 0: not in time; HOST_CONNECTION_FAILED. */
int host_connection_poll_read(host_connection_t *connection, int timeout_ms);
/** Without close_notify, as esp-tls does it. A closed one may be closed again. */
void host_connection_close(host_connection_t *connection);
