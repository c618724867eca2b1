/* What the chip's build of mbedTLS lacks, and this one has; and what ESP-IDF's 3.x calls by other names than 2.28. */
#pragma once

#include "mbedtls/ssl.h"

/** The longest message of a handshake, and piece of data, that goes out. */
extern const size_t host_chip_tls_out_max;

/** Versions, cipher suites, groups and hashes: after mbedtls_ssl_config_defaults(). */
void host_chip_tls_narrow(mbedtls_ssl_config *config);
/** The positive code that ESP-IDF's mbedTLS has for one of this. */
int host_chip_tls_code(int code);
