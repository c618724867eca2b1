/*
 * The values of keys, in a log of items. Not thread-safe: nvs_api.c holds the lock.
 */
#pragma once

#include "nvs_log.h"

/**
 * Load the partition at `offset` and finish or undo what a loss of power interrupted.
 * @return ESP_OK, ESP_ERR_NVS_NO_FREE_PAGES, ESP_ERR_NVS_NEW_VERSION_FOUND, ESP_ERR_NO_MEM, or a
 *         flash error. On failure the log is closed.
 */
esp_err_t nvs_values_open(nvs_log_t *log, uint32_t offset, uint32_t size);

/**
 * Store a value; `record->type` is an nvs_type_t and `record->chunk` is not looked at.
 * @return as nvs_set_str and nvs_set_blob.
 */
esp_err_t nvs_value_set(nvs_log_t *log, const nvs_record_t *record);

/** Size in bytes of a string's or blob's value. ESP_ERR_NVS_NOT_FOUND without one of that type. */
esp_err_t nvs_value_size(const nvs_log_t *log, uint8_t ns, uint8_t type, const char *key,
                         size_t *size);

/**
 * Read a value of `size` bytes: the size of an integer, or what nvs_value_size reported.
 * @return ESP_OK, ESP_ERR_NVS_NOT_FOUND, or a flash error.
 */
esp_err_t nvs_value_get(const nvs_log_t *log, uint8_t ns, uint8_t type, const char *key, void *out,
                        size_t size);

/** Erase a key. ESP_ERR_NVS_NOT_FOUND without it. */
esp_err_t nvs_value_erase(const nvs_log_t *log, uint8_t ns, const char *key);

/**
 * The index of a namespace, creating it if asked to.
 * @return ESP_OK, ESP_ERR_NVS_NOT_FOUND, ESP_ERR_NVS_KEY_TOO_LONG, ESP_ERR_NVS_NOT_ENOUGH_SPACE.
 */
esp_err_t nvs_namespace_find(nvs_log_t *log, const char *name, bool create, uint8_t *ns);

/** Erase all keys of a namespace; the namespace itself stays. */
esp_err_t nvs_namespace_erase(const nvs_log_t *log, uint8_t ns);

/** The entries that the items of a namespace take. */
size_t nvs_namespace_entries(const nvs_log_t *log, uint8_t ns);
