/*
 * TLS as esp-tls does it on the chip: mbedTLS with what the chip's sdkconfig builds, a verification option is
 * mandatory, dates are judged by the board's clock, and no close_notify is sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "esp_tls_errors.h"
#include "host_socket.h"

typedef struct host_tls host_tls_t;

typedef struct {
    const char *host; /* a name, or a literal address */
    int port;
    bool is_tls;
    int timeout_ms; /* for resolving and connecting, and for the handshake */
    /* Of TLS only. PEM; they must outlive the connection. */
    const char *ca_pem; /* NULL: none pinned */
    bool has_bundle;    /* trust the system's store, and not `ca_pem` */
    const char *cert_pem; /* client certificate, leaf first; NULL: none */
    const char *key_pem;
    const char *common_name; /* instead of `host`; NULL: `host` */
    bool is_name_check_skipped;
    const char **alpn_protocols; /* ends with NULL; NULL: none are offered. They must outlive the connection */
} host_endpoint_t;

/** Set up and shake hands over `socket`, which stays the caller's. @return NULL with `error` filled in. */
host_tls_t *host_tls_open(const host_endpoint_t *endpoint, const host_socket_t *socket,
                          esp_tls_last_error_t *error);
/** Bytes, 0 at the end of the stream, MBEDTLS_ERR_SSL_WANT_*, or another failure with `error` filled in. */
ssize_t host_tls_read(host_tls_t *tls, void *buffer, size_t size, esp_tls_last_error_t *error);
ssize_t host_tls_write(host_tls_t *tls, const void *data, size_t size, esp_tls_last_error_t *error);
/** Whether decrypted bytes wait to be read. */
bool host_tls_has_bytes(const host_tls_t *tls);
void host_tls_free(host_tls_t *tls);
