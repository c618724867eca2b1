/* Only the error part of esp-tls: connections go through esp_http_client and esp-mqtt. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "esp_tls_errors.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

/** Return the last error, its mbedTLS code and certificate flags, and clear them. */
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *esp_tls_code,
                                           int *esp_tls_flags);
