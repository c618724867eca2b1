/* The default WiFi interfaces. */
#pragma once

#include "esp_netif.h"

/** Aborts when it exists, as ESP-IDF does. */
esp_netif_t *esp_netif_create_default_wifi_ap(void);
esp_netif_t *esp_netif_create_default_wifi_sta(void);
