/* MAC addresses: ESP-IDF's scheme with four universal addresses. */
#include "esp_mac.h"

#include <string.h>

#include "host_env.h"

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    if (mac == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    uint8_t offset;
    switch (type) {
    case ESP_MAC_WIFI_STA:
    case ESP_MAC_BASE:
    case ESP_MAC_EFUSE_FACTORY:
        offset = 0;
        break;
    case ESP_MAC_WIFI_SOFTAP:
        offset = 1;
        break;
    case ESP_MAC_BT:
        offset = 2;
        break;
    case ESP_MAC_ETH:
        offset = 3;
        break;
    default:
        return ESP_ERR_NOT_SUPPORTED;
    }
    memcpy(mac, host_env()->base_mac, 6);
    mac[5] = (uint8_t)(mac[5] + offset); /* ESP-IDF lets the last octet wrap, too */
    return ESP_OK;
}
