#include "tls_handshake.h"

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

static void note(const mbedtls_ssl_context *ssl, int error)
{
    const unsigned char *message = ssl->MBEDTLS_PRIVATE(in_msg); /* level, description */
    bool is_alert = error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && message != NULL;
    s_last.alert = is_alert ? message[1] : TLS_NO_ALERT;
    s_last.certificate_shown = (int)ssl->MBEDTLS_PRIVATE(state) > (int)MBEDTLS_SSL_CLIENT_CERTIFICATE;
}

int __wrap_mbedtls_ssl_handshake(mbedtls_ssl_context *ssl)
{
    int error = __real_mbedtls_ssl_handshake(ssl);
    bool is_over = error != MBEDTLS_ERR_SSL_WANT_READ && error != MBEDTLS_ERR_SSL_WANT_WRITE;
    if (error != 0 && is_over) {
        note(ssl, error);
    }
    return error;
}
