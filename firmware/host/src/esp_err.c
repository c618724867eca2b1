/* What ESP_ERROR_CHECK does when it fails. */
#include "esp_err.h"

#include "esp_log.h"

void _esp_error_check_failed(esp_err_t rc, const char *file, int line, const char *function,
                             const char *expression)
{
    esp_log_write(ESP_LOG_ERROR, "esp_err",
                  "ESP_ERROR_CHECK failed: esp_err_t 0x%x (%s) at %s:%d\nfunc: %s\nexpression: %s\n",
                  (unsigned)rc, esp_err_to_name(rc), file, line, function, expression);
    abort();
}
