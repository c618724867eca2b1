/* The error record of esp-tls. */
#include "esp_tls.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "esp_crt_bundle.h"
#include "esp_tls_priv.h"

esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *esp_tls_code,
                                           int *esp_tls_flags)
{
    if (h == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t last_error = h->last_error;
    if (esp_tls_code != NULL) {
        *esp_tls_code = h->esp_tls_error_code;
    }
    if (esp_tls_flags != NULL) {
        *esp_tls_flags = h->esp_tls_flags;
    }
    memset(h, 0, sizeof *h);
    return last_error;
}

esp_err_t esp_tls_get_and_clear_error_type(esp_tls_error_handle_t h, esp_tls_error_type_t err_type,
                                           int *error_code)
{
    if (h == NULL || error_code == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    host_tls_error_t *storage = (host_tls_error_t *)h; /* `parent` is its first member */
    int *part;
    switch (err_type) {
    case ESP_TLS_ERR_TYPE_ESP:
        part = &h->last_error;
        break;
    case ESP_TLS_ERR_TYPE_MBEDTLS:
        part = &h->esp_tls_error_code;
        break;
    case ESP_TLS_ERR_TYPE_MBEDTLS_CERT_FLAGS:
        part = &h->esp_tls_flags;
        break;
    case ESP_TLS_ERR_TYPE_SYSTEM:
        part = &storage->sock_errno;
        break;
    default:
        return ESP_ERR_INVALID_ARG;
    }
    *error_code = *part;
    *part = 0;
    return ESP_OK;
}

esp_err_t esp_crt_bundle_attach(void *conf)
{
    (void)conf; /* its address in a configuration is what counts */
    return ESP_OK;
}
