#include "net_failure.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* From esp_tls_errors.h and mbedTLS' headers; numbers, so that this file needs neither. */
#define TLS_CANNOT_RESOLVE_HOSTNAME 0x8001
#define TLS_TCP_CLOSED_FIN 0x8008
#define TLS_HANDSHAKE_TIMEOUT 0x8009
#define TLS_HANDSHAKE_FAILED 0x801a
#define MBEDTLS_NET_RECV_FAILED 0x4c
#define MBEDTLS_NET_SEND_FAILED 0x4e
#define MBEDTLS_NET_CONN_RESET 0x50
#define MBEDTLS_CERT_VERIFY_FAILED 0x2700
#define MBEDTLS_X509_FATAL 0x3000 /* how the certificate bundle's own refusal surfaces */
#define MBEDTLS_CONN_EOF 0x7280
#define MBEDTLS_FATAL_ALERT 0x7780

/** Whom an alert is about. Some servers have but one alert for all that is wrong: then the moment tells. */
typedef enum { ABOUT_CERTIFICATE, ABOUT_TLS, ABOUT_EITHER } about_t;

typedef struct {
    int alert;
    about_t about;
    const char *name;
} alert_t;

/* RFC 5246 7.2.2, RFC 6066 9, RFC 7301 3.2, RFC 8446 6. */
static const alert_t ALERTS[] = {
    {0, ABOUT_TLS, "close_notify"},
    {10, ABOUT_TLS, "unexpected_message"},
    {20, ABOUT_TLS, "bad_record_mac"},
    {21, ABOUT_TLS, "decryption_failed"},
    {22, ABOUT_TLS, "record_overflow"},
    {30, ABOUT_TLS, "decompression_failure"},
    {40, ABOUT_EITHER, "handshake_failure"},
    {41, ABOUT_CERTIFICATE, "no_certificate"},
    {42, ABOUT_CERTIFICATE, "bad_certificate"},
    {43, ABOUT_CERTIFICATE, "unsupported_certificate"},
    {44, ABOUT_CERTIFICATE, "certificate_revoked"},
    {45, ABOUT_CERTIFICATE, "certificate_expired"},
    {46, ABOUT_CERTIFICATE, "certificate_unknown"},
    {47, ABOUT_TLS, "illegal_parameter"},
    {48, ABOUT_CERTIFICATE, "unknown_ca"},
    {49, ABOUT_CERTIFICATE, "access_denied"},
    {50, ABOUT_TLS, "decode_error"},
    {51, ABOUT_EITHER, "decrypt_error"},
    {60, ABOUT_TLS, "export_restriction"},
    {70, ABOUT_TLS, "protocol_version"},
    {71, ABOUT_TLS, "insufficient_security"},
    {80, ABOUT_TLS, "internal_error"},
    {86, ABOUT_TLS, "inappropriate_fallback"},
    {90, ABOUT_TLS, "user_canceled"},
    {100, ABOUT_TLS, "no_renegotiation"},
    {109, ABOUT_TLS, "missing_extension"},
    {110, ABOUT_TLS, "unsupported_extension"},
    {111, ABOUT_CERTIFICATE, "certificate_unobtainable"},
    {112, ABOUT_TLS, "unrecognized_name"},
    {113, ABOUT_TLS, "bad_certificate_status_response"},
    {115, ABOUT_TLS, "unknown_psk_identity"},
    {116, ABOUT_CERTIFICATE, "certificate_required"},
    {120, ABOUT_TLS, "no_application_protocol"},
};

static const alert_t *find_alert(int alert)
{
    for (size_t i = 0; i < sizeof ALERTS / sizeof ALERTS[0]; i++) {
        if (ALERTS[i].alert == alert) {
            return &ALERTS[i];
        }
    }
    return NULL;
}

static int stack_of(const net_error_t *error)
{
    return abs(error->stack_error);
}

static bool is_untrusted(const net_error_t *error)
{
    /* mbedTLS 3 and later have dropped the peer's certificate by the time esp-tls looks for the
     * flags, so the code of the stack counts as much as they do. */
    int stack = stack_of(error);
    return error->verify_flags != 0 || stack == MBEDTLS_CERT_VERIFY_FAILED || stack == MBEDTLS_X509_FATAL;
}

static bool is_hang_up(const net_error_t *error)
{
    int stack = stack_of(error);
    return stack == MBEDTLS_CONN_EOF || stack == MBEDTLS_NET_CONN_RESET || stack == MBEDTLS_NET_RECV_FAILED ||
           stack == MBEDTLS_NET_SEND_FAILED;
}

static net_failure_t classify_alert(const tls_handshake_t *handshake)
{
    const alert_t *alert = find_alert(handshake->alert);
    about_t about = alert != NULL ? alert->about : handshake->alert == TLS_NO_ALERT ? ABOUT_EITHER : ABOUT_TLS;
    bool is_ours = about == ABOUT_CERTIFICATE || (about == ABOUT_EITHER && handshake->certificate_shown);
    return is_ours ? NET_FAILURE_REFUSED : NET_FAILURE_TLS;
}

net_failure_t net_failure_classify(const net_error_t *error)
{
    if (is_untrusted(error)) {
        return NET_FAILURE_UNTRUSTED;
    }
    if (error->last_error == TLS_CANNOT_RESOLVE_HOSTNAME) {
        return NET_FAILURE_DNS;
    }
    if (stack_of(error) == MBEDTLS_FATAL_ALERT) {
        return classify_alert(&error->handshake);
    }
    if (error->last_error == TLS_HANDSHAKE_FAILED && is_hang_up(error)) {
        /* In TLS 1.2 the next word of a server that likes our certificate is Finished. */
        return error->handshake.certificate_shown ? NET_FAILURE_REFUSED : NET_FAILURE_UNREACHABLE;
    }
    if (error->last_error == TLS_HANDSHAKE_FAILED) {
        return NET_FAILURE_TLS;
    }
    bool is_cut = error->last_error == 0 && (is_hang_up(error) || error->sock_errno != 0);
    if (error->last_error == TLS_TCP_CLOSED_FIN || is_cut) {
        return NET_FAILURE_CLOSED;
    }
    bool is_silent = error->last_error == 0 && error->stack_error == 0;
    return is_silent ? NET_FAILURE_GARBAGE : NET_FAILURE_UNREACHABLE;
}

/* MBEDTLS_X509_BADCERT_*, first what the others may follow from. */
static const struct {
    int flag;
    const char *name;
} FLAWS[] = {
    {0x08, "unknown CA"},
    {0x04, "it is for another host name"},
    {0x01, "it has expired"},
    {0x200, "it is not valid yet"},
    {0x02, "it is revoked"},
    {0x800, "its key is for another use"},    /* keyUsage */
    {0x1000, "it is not a server's"},         /* extendedKeyUsage */
    {0x4000, "its signature's hash is weak"},
    {0x8000, "its key is of a kind that is not taken"},
    {0x10000, "its key is weak"},
};

static const char *certificate_flaw(int verify_flags)
{
    for (size_t i = 0; i < sizeof FLAWS / sizeof FLAWS[0]; i++) {
        if ((verify_flags & FLAWS[i].flag) != 0) {
            return FLAWS[i].name;
        }
    }
    return "";
}

static void say_alert(const tls_handshake_t *handshake, char *out, size_t capacity)
{
    const alert_t *alert = find_alert(handshake->alert);
    if (alert != NULL) {
        snprintf(out, capacity, "TLS alert %s", alert->name);
    } else if (handshake->alert != TLS_NO_ALERT) {
        snprintf(out, capacity, "TLS alert %d", handshake->alert);
    } else {
        snprintf(out, capacity, "a TLS alert");
    }
}

void net_failure_detail(const net_error_t *error, char *out, size_t capacity)
{
    bool in_handshake = error->last_error == TLS_HANDSHAKE_FAILED;
    if (is_untrusted(error)) {
        snprintf(out, capacity, "%s", certificate_flaw(error->verify_flags));
    } else if (stack_of(error) == MBEDTLS_FATAL_ALERT) {
        say_alert(&error->handshake, out, capacity);
    } else if (in_handshake && is_hang_up(error)) {
        snprintf(out, capacity, "it hung up %s",
                 error->handshake.certificate_shown ? "on the device's certificate" : "during the TLS handshake");
    } else if (in_handshake) {
        snprintf(out, capacity, "TLS error -0x%04x", (unsigned)stack_of(error));
    } else if (error->last_error == TLS_HANDSHAKE_TIMEOUT) {
        snprintf(out, capacity, "no end of the TLS handshake in time");
    } else if (net_failure_classify(error) == NET_FAILURE_CLOSED) {
        snprintf(out, capacity, "it closed the connection");
    } else if (capacity > 0) {
        out[0] = '\0';
    }
}
