/*
 * NVS namespace "device_config": one blob for each key, replaced as a whole. Several writes are one step for other
 * tasks only when the caller keeps them out; device_store.c does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

/** A storage that cannot be used stays closed: the others then return ESP_ERR_INVALID_STATE. */
esp_err_t nvs_record_open(void);

/** The old value stays until the new one is there. */
esp_err_t nvs_record_put(const char *key, const uint8_t *record, size_t size);

/**
 * The same, but where both do not fit, the old value goes first. For what a loss of power in between does not take
 * from the device: it is there in another record, or nobody counts on it any more.
 */
esp_err_t nvs_record_replace(const char *key, const uint8_t *record, size_t size);

/** Reads into a heap block that the caller frees; ESP_ERR_NOT_FOUND when there is none. */
esp_err_t nvs_record_get(const char *key, uint8_t **record, size_t *size);

/** One that is not there is no error. */
esp_err_t nvs_record_erase(const char *key);
bool nvs_record_exists(const char *key);

/** Of what was erased or replaced, nothing stays. What a loss of power leaves of it, the next call takes. */
void nvs_record_purge(void);

/** All of the partition, PHY calibration included; nothing is read or written until the next boot. */
esp_err_t nvs_record_erase_all(void);
