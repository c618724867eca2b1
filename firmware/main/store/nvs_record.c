#include "nvs_record.h"

#include <stdlib.h>

#include "certificate_record.h"
#include "esp_log.h"
#include "flash_purge.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "prov_records.h"
#include "secret_wipe.h"

#define NAMESPACE "device_config"
/* The longest is what a device of 0.1.0 keeps: two texts of PEM, of 4096 bytes each. */
#define RECORD_SIZE_MAX 8256
_Static_assert(RECORD_SIZE_MAX >= PROV_RECORD_MAX && RECORD_SIZE_MAX >= CERTIFICATE_RECORD_MAX, "any record can be read");

static const char *TAG = "store";
static nvs_handle_t s_nvs;
static bool s_open;

static esp_err_t init_partition(void)
{
    esp_err_t err = nvs_flash_init();
    if (err != ESP_ERR_NVS_NO_FREE_PAGES && err != ESP_ERR_NVS_NEW_VERSION_FOUND) {
        return err;
    }
    /* Both mean that the content cannot be used by this NVS in any way. */
    ESP_LOGW(TAG, "formatting the storage: %s", esp_err_to_name(err));
    err = nvs_flash_erase();
    return err == ESP_OK ? nvs_flash_init() : err;
}

esp_err_t nvs_record_open(void)
{
    esp_err_t err = init_partition();
    if (err == ESP_OK) {
        err = nvs_open(NAMESPACE, NVS_READWRITE, &s_nvs);
    }
    s_open = err == ESP_OK;
    if (!s_open) {
        ESP_LOGE(TAG, "storage is not usable: %s", esp_err_to_name(err));
    }
    return err;
}

void nvs_record_purge(void)
{
    esp_err_t err = s_open ? flash_purge_erased(s_nvs) : ESP_OK;
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "what was erased can still be read in the flash: %s", esp_err_to_name(err));
    }
}

static esp_err_t write_record(const char *key, const uint8_t *record, size_t size)
{
    if (!s_open) {
        return ESP_ERR_INVALID_STATE;
    }
    if (size == 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    esp_err_t err = nvs_set_blob(s_nvs, key, record, size);
    return err == ESP_OK ? nvs_commit(s_nvs) : err;
}

static esp_err_t logged(const char *key, esp_err_t err)
{
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot write \"%s\": %s", key, esp_err_to_name(err));
    }
    return err;
}

esp_err_t nvs_record_put(const char *key, const uint8_t *record, size_t size)
{
    return logged(key, write_record(key, record, size));
}

esp_err_t nvs_record_replace(const char *key, const uint8_t *record, size_t size)
{
    esp_err_t err = write_record(key, record, size);
    if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE) {
        err = nvs_record_erase(key);
        err = err == ESP_OK ? write_record(key, record, size) : err;
    }
    return logged(key, err);
}

esp_err_t nvs_record_get(const char *key, uint8_t **record, size_t *size)
{
    *record = NULL;
    *size = 0;
    if (!s_open) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = nvs_get_blob(s_nvs, key, NULL, size);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        return ESP_ERR_NOT_FOUND;
    }
    if (err != ESP_OK || *size == 0 || *size > RECORD_SIZE_MAX) {
        return err != ESP_OK ? err : ESP_ERR_INVALID_SIZE;
    }
    *record = malloc(*size);
    if (*record == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = nvs_get_blob(s_nvs, key, *record, size);
    if (err != ESP_OK) {
        secret_free(*record, *size);
        *record = NULL;
    }
    return err;
}

esp_err_t nvs_record_erase(const char *key)
{
    if (!s_open) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = nvs_erase_key(s_nvs, key);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        return ESP_OK;
    }
    if (err == ESP_OK) {
        err = nvs_commit(s_nvs);
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot erase \"%s\": %s", key, esp_err_to_name(err));
    }
    return err;
}

bool nvs_record_exists(const char *key)
{
    size_t size = 0;
    return s_open && nvs_get_blob(s_nvs, key, NULL, &size) == ESP_OK;
}

esp_err_t nvs_record_erase_all(void)
{
    s_open = false;
    esp_err_t err = nvs_flash_erase(); /* which closes it first */
    esp_err_t failed = flash_purge_core_dump();
    return err == ESP_OK ? failed : err;
}
