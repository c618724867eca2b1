/* From what esp-tls and esp-mqtt report to the failure it means. Pure. */
#pragma once

#include <stdint.h>

#include "prov_failure.h"

/** What esp-tls knows about the last connection: see esp_tls_last_error_t. */
typedef struct {
    int32_t last_error; /* esp_err_t */
    int stack_error;    /* mbedTLS code; esp-tls stores it positive */
    int verify_flags;   /* MBEDTLS_X509_BADCERT_* */
} net_error_t;

typedef enum {
    NET_FAILURE_UNREACHABLE,
    NET_FAILURE_DNS,
    NET_FAILURE_UNTRUSTED, /* we refuse the peer's certificate */
    NET_FAILURE_REFUSED,   /* the peer refuses us: a fatal TLS alert, or a close right after TLS */
} net_failure_t;

net_failure_t net_failure_classify(const net_error_t *error);

/** A few words on why a certificate was refused, or ""; for `error.message`. */
const char *net_failure_detail(const net_error_t *error);
