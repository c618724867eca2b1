/* Where the page is, and how phones are told. */
#pragma once

#include <stdint.h>

#include "esp_netif.h"

/**
 * Takes the SoftAP's address and lets its DHCP server announce the page (RFC 8910, option 114; ESP-IDF
 * 5.4 and later). Before the SoftAP starts, since the option cannot be set while the server runs.
 */
void captive_portal_init(esp_netif_t *softap);

/** The SoftAP's address, network byte order. */
uint32_t captive_portal_address(void);

/** "http://192.168.4.1/" */
const char *captive_portal_uri(void);
