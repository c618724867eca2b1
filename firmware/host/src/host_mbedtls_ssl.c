/* OpenSSL has shaken hands already, and failed: mbedTLS is made to fail likewise, where main/ listens. */
#include <string.h>

#include "mbedtls/ssl.h"

typedef struct {
    const unsigned char *bytes;
    size_t size;
} answer_t;

int host_mbedtls_ssl_fail(int state, int code, unsigned char alert);

static int receive(void *context, unsigned char *buffer, size_t size)
{
    answer_t *answer = context;
    size_t got = size < answer->size ? size : answer->size;
    memcpy(buffer, answer->bytes, got);
    answer->bytes += got;
    answer->size -= got;
    return (int)got;
}

int host_mbedtls_ssl_fail(int state, int code, unsigned char alert)
{
    const unsigned char record[] = {21, 3, 3, 0, 2, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert};
    answer_t answer = {.bytes = record, .size = code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE ? sizeof record : 0};
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_setup(&ssl, &config);
    mbedtls_ssl_set_bio(&ssl, &answer, NULL, receive, NULL);
    ssl.state = state;
    ssl.major_ver = MBEDTLS_SSL_MAJOR_VERSION_3;
    ssl.minor_ver = MBEDTLS_SSL_MINOR_VERSION_3;
    int error = mbedtls_ssl_handshake(&ssl);
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_config_free(&config);
    return error;
}
