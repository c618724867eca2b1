/* What this build of mbedTLS has, and the chip's lacks. */
#pragma once

#include "mbedtls/ssl.h"

/** The longest message of a handshake, and piece of data, that goes out. */
extern const size_t host_chip_tls_out_max;

/** Versions, cipher suites, groups and hashes: after mbedtls_ssl_config_defaults(). */
void host_chip_tls_narrow(mbedtls_ssl_config *config);
