/* MAC addresses, derived from the base address in PROV_HOST_MAC. */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifndef MAC2STR
#define MAC2STR(a) (a)[0], (a)[1], (a)[2], (a)[3], (a)[4], (a)[5]
#define MACSTR "%02x:%02x:%02x:%02x:%02x:%02x"
#endif

typedef enum {
    ESP_MAC_WIFI_STA,
    ESP_MAC_WIFI_SOFTAP,
    ESP_MAC_BT,
    ESP_MAC_ETH,
    ESP_MAC_IEEE802154,
    ESP_MAC_BASE,
    ESP_MAC_EFUSE_FACTORY,
    ESP_MAC_EFUSE_CUSTOM,
    ESP_MAC_EFUSE_EXT,
} esp_mac_type_t;

/** Base + 0 (station), + 1 (SoftAP), + 2 (BT), + 3 (Ethernet). ESP_ERR_NOT_SUPPORTED for others. */
esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type);
