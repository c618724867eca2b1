/* Where the page is, and how phones are told. */
#pragma once

#include <stdbool.h>
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

/**
 * True when a Host header names somebody else, as that of a probe does: only a DNS answer of ours brings
 * such a request here. An address, with or without a port, is our own in whatever notation.
 */
bool captive_portal_is_foreign(const char *host);
