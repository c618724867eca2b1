#pragma once

#include "nvs_log.h"

/**
 * Bring a freshly loaded log back to a consistent state: finish or undo what a loss of power interrupted.
 * @return ESP_OK, ESP_ERR_NVS_NO_FREE_PAGES, or a flash error.
 */
esp_err_t nvs_recover(nvs_log_t *log);
