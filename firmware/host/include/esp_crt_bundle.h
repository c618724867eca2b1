/* The certificate bundle: on the host, the system's trust store. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "mbedtls/ssl.h"

/** A value for a `crt_bundle_attach` field; `conf` is a mbedtls_ssl_config. */
esp_err_t esp_crt_bundle_attach(void *conf);
