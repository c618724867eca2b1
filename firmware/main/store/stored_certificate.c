#include "stored_certificate.h"

#include <stdlib.h>

#include "certificate_read.h"
#include "esp_log.h"
#include "nvs_record.h"
#include "prov_records.h"

static const char *TAG = "store";

esp_err_t stored_certificate_read(uint8_t *record, size_t size, certificate_t *certificate)
{
    char *certificate_pem;
    char *ca_pem;
    if (!certificate_texts(record, size, &certificate_pem, &ca_pem)) {
        return certificate_adopt(record, size, certificate) ? ESP_OK : ESP_ERR_NOT_FOUND;
    }
    certificate_reading_t reading;
    certificate_verdict_t verdict = certificate_read(certificate_pem, ca_pem, &reading);
    free(record);
    if (verdict != CERTIFICATE_OK) {
        ESP_LOGW(TAG, "a stored certificate: %s", verdict == CERTIFICATE_MALFORMED ? reading.flaw : "out of memory");
        return verdict == CERTIFICATE_MALFORMED ? ESP_ERR_NOT_FOUND : ESP_ERR_NO_MEM;
    }
    *certificate = reading.certificate;
    return ESP_OK;
}

void stored_certificate_modernise(const char *key)
{
    uint8_t *record;
    size_t size;
    char *texts[2];
    if (nvs_record_get(key, &record, &size) != ESP_OK) {
        return;
    }
    certificate_t certificate = {0};
    if (!certificate_texts(record, size, &texts[0], &texts[1])) {
        free(record);
    } else if (stored_certificate_read(record, size, &certificate) == ESP_OK) {
        esp_err_t err = nvs_record_put(key, certificate.record, certificate.record_size);
        ESP_LOGI(TAG, "\"%s\" %s", key, err == ESP_OK ? "is DER from now on" : "stays PEM");
    }
    certificate_free(&certificate);
}
