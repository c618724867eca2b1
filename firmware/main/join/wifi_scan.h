/* The networks in range: scanned for asynchronously, cached. */
#pragma once

#include <stddef.h>

#include "esp_err.h"
#include "wifi_networks.h"

esp_err_t wifi_scan_init(void);
/** Starts a scan unless one is running; its result goes into the cache. */
esp_err_t wifi_scan_request(void);
/** Gives the radio free for an association. */
void wifi_scan_cancel(void);

/**
 * Copies the networks in range into `out` (WIFI_SCAN_MAX entries), strongest first, one per SSID.
 *
 * Answers from a cache and refreshes it behind the caller's back; waits up to 4 s only when there is
 * no recent result. ESP_ERR_NOT_FOUND when there is none and the radio cannot scan now.
 */
esp_err_t wifi_scan_list(wifi_network_t *out, size_t *count);
