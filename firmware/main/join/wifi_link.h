/* The radio: the SoftAP, the station, and the scan of the networks in range. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "prov_records.h"
#include "wifi_networks.h"

/** Brings the driver up in station mode. Posts PROV_MSG_LINK_* from then on. */
esp_err_t wifi_link_init(void);

/** Opens the SoftAP beside the station, waits until its interface is up, and logs its name. */
esp_err_t wifi_link_ap_start(void);
esp_err_t wifi_link_ap_stop(void);

/** Starts one association. The outcome comes as LINK_ASSOCIATED and LINK_UP, or LINK_DOWN. */
esp_err_t wifi_link_connect(const wifi_credentials_t *wifi);
/** Leaves the network or gives up the attempt; nothing is posted for it. */
void wifi_link_disconnect(void);

/** Signal of the access point we are on, dBm; 0 when there is none. */
int wifi_link_rssi(void);

/**
 * Copies the networks in range into `out` (WIFI_SCAN_MAX entries), strongest first, one per SSID.
 *
 * Answers from a cache and refreshes it behind the caller's back; waits up to 4 s only when there is
 * no recent result. ESP_ERR_NOT_FOUND when there is none and the radio cannot scan now.
 */
esp_err_t wifi_link_scan(wifi_network_t *out, size_t *count);
