#include "tls_handshake.h"

#include <stddef.h>

#include "mbedtls/net_sockets.h"
#include "mbedtls/ssl.h"

#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member /* Mbed TLS 2 has no private members */
#endif

/* Each task has its own, as a renewal may shake hands beside the MQTT client. */
static _Thread_local tls_handshake_t s_last = {.alert = TLS_NO_ALERT};

/* The linker puts the second in the place of the first; see CMakeLists.txt. */
int __real_mbedtls_ssl_handshake(mbedtls_ssl_context *ssl);
int __wrap_mbedtls_ssl_handshake(mbedtls_ssl_context *ssl);

void tls_handshake_begin(void)
{
    s_last = (tls_handshake_t){.alert = TLS_NO_ALERT};
}

tls_handshake_t tls_handshake_last(void)
{
    return s_last;
}

/*
 * A server that will not have our certificate says so and closes, with more of ours unread: the RST for that meets us
 * still writing, and Mbed TLS gives up with the alert (RFC 5246, 7.2; not encrypted yet) unread in the socket.
 */
static int unread_alert(mbedtls_ssl_context *ssl)
{
    enum { ALERT = 21, FATAL = 2, RECORD_BYTES = 7 };
    unsigned char record[RECORD_BYTES]; /* type, version, length, level, description */
    size_t length = 0;
    while (length < sizeof record) {
        int got = ssl->MBEDTLS_PRIVATE(f_recv)(ssl->MBEDTLS_PRIVATE(p_bio), record + length, sizeof record - length);
        if (got <= 0) {
            return TLS_NO_ALERT;
        }
        length += (size_t)got;
    }
    bool is_fatal_alert = record[0] == ALERT && record[3] == 0 && record[4] == 2 && record[5] == FATAL;
    return is_fatal_alert ? record[6] : TLS_NO_ALERT;
}

static int alert_of(mbedtls_ssl_context *ssl, int error)
{
    const unsigned char *message = ssl->MBEDTLS_PRIVATE(in_msg); /* level, description */
    if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && message != NULL) {
        return message[1];
    }
    bool is_cut = error == MBEDTLS_ERR_NET_CONN_RESET && ssl->MBEDTLS_PRIVATE(f_recv) != NULL;
    return is_cut ? unread_alert(ssl) : TLS_NO_ALERT;
}

/* What the handshake failed by. */
static int note(mbedtls_ssl_context *ssl, int error)
{
    s_last.alert = alert_of(ssl, error);
    s_last.certificate_shown = (int)ssl->MBEDTLS_PRIVATE(state) > (int)MBEDTLS_SSL_CLIENT_CERTIFICATE;
    return s_last.alert != TLS_NO_ALERT ? MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE : error;
}

int __wrap_mbedtls_ssl_handshake(mbedtls_ssl_context *ssl)
{
    int error = __real_mbedtls_ssl_handshake(ssl);
    bool is_over = error != MBEDTLS_ERR_SSL_WANT_READ && error != MBEDTLS_ERR_SSL_WANT_WRITE;
    return error != 0 && is_over ? note(ssl, error) : error;
}
