/*
 * TLS as esp-tls does it with its default configuration, on OpenSSL: TLS 1.2, a verification
 * option is mandatory, dates are judged by the board's clock, and failures come out as the codes
 * and certificate flags of mbedTLS. Used for libcurl's and libmosquitto's connections alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include "esp_tls_errors.h"

typedef struct {
    const char *ca_pem; /* NULL: none pinned */
    bool has_bundle;    /* use the system's trust store */
    const char *cert_pem; /* client certificate, leaf first; NULL: none */
    const char *key_pem;
    const char *host; /* the name or address the certificate must carry */
    bool is_name_check_skipped;
} host_tls_config_t;

/** What was observed on one connection. Zero it before each attempt. */
typedef struct {
    int cert_flags;        /* MBEDTLS_X509_BADCERT_*, of the whole chain */
    int first_error;       /* X509_V_ERR_* */
    bool has_fatal_alert;  /* the peer sent one */
    int alert;             /* its description */
    bool has_complained;   /* OpenSSL gave up: what came makes no sense to it */
    bool is_handshake_begun;
    bool is_certificate_shown;
    bool is_handshake_done;
} host_tls_trace_t;

/**
 * Set up `ctx` for one connection. `trace` must outlive it.
 * @return ESP_OK, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED (no verification option),
 *         ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED, ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED,
 *         ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED (key and certificate do not match).
 */
esp_err_t host_tls_prepare(SSL_CTX *ctx, const host_tls_config_t *config, host_tls_trace_t *trace);

/** Describe a TLS failure. @return false when the trace shows none (a plain network error). */
bool host_tls_describe(const host_tls_trace_t *trace, esp_tls_last_error_t *error);

/** Describe a connection that the peer ended during the handshake. @return false when there was none under way. */
bool host_tls_describe_hang_up(const host_tls_trace_t *trace, esp_tls_last_error_t *error);
