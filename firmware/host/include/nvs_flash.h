/*
 * Setting up and wiping the default NVS partition: the part of ESP-IDF's nvs_flash.h that the
 * firmware may use. The partition lives in the flash image named by PROV_HOST_FLASH.
 */
#pragma once

#include "nvs.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Load the partition and repair what a loss of power left half done. Does nothing when it is
 * loaded already.
 *
 * @return ESP_OK, ESP_ERR_NOT_FOUND (no flash image, or no partition "nvs" in its table),
 *         ESP_ERR_NVS_NO_FREE_PAGES, ESP_ERR_NVS_NEW_VERSION_FOUND (erase and try again),
 *         ESP_ERR_NVS_WRONG_ENCRYPTION, ESP_ERR_NO_MEM, or an error of the flash image.
 */
esp_err_t nvs_flash_init(void);

/** Forget the partition and close all handles. @return ESP_OK, ESP_ERR_NVS_NOT_INITIALIZED. */
esp_err_t nvs_flash_deinit(void);

/** Erase the partition; deinitialises it first. @return ESP_OK, ESP_ERR_NOT_FOUND, or a flash error. */
esp_err_t nvs_flash_erase(void);

#ifdef __cplusplus
}
#endif
