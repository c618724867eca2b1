#include "mbedtls/ssl.h"

/* OpenSSL has shaken hands already, and failed, which host_tls.c has written into `in_hslen`, of no other use here. */
int mbedtls_ssl_handshake(mbedtls_ssl_context *ssl)
{
    return -(int)ssl->in_hslen;
}
