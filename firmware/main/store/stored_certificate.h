/* A certificate's record as it lies in NVS: DER, or the PEM of a device that began with 0.1.0. */
#pragma once

#include "certificate_record.h"
#include "esp_err.h"

/** Takes over `record`, of either form; ESP_ERR_NOT_FOUND when it is none, or cannot be read, else ESP_ERR_NO_MEM. */
esp_err_t stored_certificate_read(uint8_t *record, size_t size, certificate_t *certificate);

/**
 * Rewrites PEM, which takes more room, as DER. The old record stays until the new one is there; where both do not fit, it
 * stays, and is read as it is.
 */
void stored_certificate_modernise(const char *key);
