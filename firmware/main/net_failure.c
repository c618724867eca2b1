#include "net_failure.h"

#include <stdlib.h>

/* From esp_tls_errors.h and mbedTLS' headers; numbers, so that this file needs neither. */
#define TLS_CANNOT_RESOLVE_HOSTNAME 0x8001
#define TLS_TCP_CLOSED_FIN 0x8008
#define MBEDTLS_CERT_VERIFY_FAILED 0x2700
#define MBEDTLS_X509_FATAL 0x3000 /* how the certificate bundle's own refusal surfaces */
#define MBEDTLS_FATAL_ALERT 0x7780
#define BADCERT_EXPIRED 0x01
#define BADCERT_CN_MISMATCH 0x04
#define BADCERT_NOT_TRUSTED 0x08
#define BADCERT_FUTURE 0x200

net_failure_t net_failure_classify(const net_error_t *error)
{
    /* mbedTLS 3 and later have dropped the peer's certificate by the time esp-tls looks for the
     * flags, so the code of the stack counts as much as they do. */
    int stack = abs(error->stack_error);
    if (error->verify_flags != 0 || stack == MBEDTLS_CERT_VERIFY_FAILED || stack == MBEDTLS_X509_FATAL) {
        return NET_FAILURE_UNTRUSTED;
    }
    if (error->last_error == TLS_CANNOT_RESOLVE_HOSTNAME) {
        return NET_FAILURE_DNS;
    }
    if (stack == MBEDTLS_FATAL_ALERT || error->last_error == TLS_TCP_CLOSED_FIN) {
        return NET_FAILURE_REFUSED;
    }
    return NET_FAILURE_UNREACHABLE;
}

const char *net_failure_detail(const net_error_t *error)
{
    if ((error->verify_flags & BADCERT_NOT_TRUSTED) != 0) {
        return "unknown CA";
    }
    if ((error->verify_flags & BADCERT_CN_MISMATCH) != 0) {
        return "it is for another host name";
    }
    if ((error->verify_flags & BADCERT_EXPIRED) != 0) {
        return "it has expired";
    }
    return (error->verify_flags & BADCERT_FUTURE) != 0 ? "it is not valid yet" : "";
}
