/* From what esp-tls and esp-mqtt report to the failure it means. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tls_handshake.h"

/** What esp-tls knows about the last connection: see esp_tls_last_error_t. */
typedef struct {
    int32_t last_error; /* esp_err_t */
    int stack_error;    /* mbedTLS code; esp-tls stores it positive */
    int verify_flags;   /* MBEDTLS_X509_BADCERT_* */
    int sock_errno;     /* of a connection that stood: all that ESP-IDF before 5.4 knows of a reset or a lost network */
    tls_handshake_t handshake;
} net_error_t;

typedef enum {
    NET_FAILURE_UNREACHABLE,
    NET_FAILURE_DNS,
    NET_FAILURE_UNTRUSTED, /* we refuse the peer's certificate */
    NET_FAILURE_REFUSED,   /* the peer refuses ours: an alert that says so, or a hang-up right after it was shown */
    NET_FAILURE_TLS,       /* the handshake failed for any other reason */
    NET_FAILURE_CLOSED,    /* the peer closed a connection that stood */
    NET_FAILURE_GARBAGE,   /* the connection stands, but what came over it makes no sense */
} net_failure_t;

net_failure_t net_failure_classify(const net_error_t *error);

/** A few words on it, or ""; for `error.message`. */
void net_failure_detail(const net_error_t *error, char *out, size_t capacity);
