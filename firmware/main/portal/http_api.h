/* The board's HTTP server on the SoftAP: /scan, /local-wifi, /provision, /status, /reset, and the page. */
#pragma once

#include "esp_err.h"

/** Starts the server on the SoftAP, which must be up, and on no other interface; no-op when it runs. */
esp_err_t http_api_start(void);

/** Waits for the request in progress, then closes every connection. Not from a handler. */
void http_api_stop(void);
