/* Where Mbed TLS 3, which ESP-IDF 5 has, does otherwise than 2.28. */
#pragma once

#include "mbedtls/ssl.h"

/** The positive code that it has for a failure of this one. */
int host_mbedtls_3_code(const mbedtls_ssl_context *ssl, int code);
