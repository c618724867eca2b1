/* The certificate bundle: on the host, the system's trust store. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "mbedtls/ssl.h"

/** Only ever a value for a `crt_bundle_attach` field. */
esp_err_t esp_crt_bundle_attach(void *conf);
