/* The scan half of wifi_link: asynchronous, cached. */
#pragma once

#include "wifi_link.h"

esp_err_t wifi_scan_init(void);
/** Starts a scan unless one is running; its result goes into the cache. */
esp_err_t wifi_scan_request(void);
/** Gives the radio free for an association. */
void wifi_scan_cancel(void);
