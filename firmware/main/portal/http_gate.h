/* What every request has to pass before any handler sees it. Belongs to the HTTP server's task. */
#pragma once

#include "esp_http_server.h"

typedef esp_err_t (*http_handler_t)(httpd_req_t *req);

/**
 * Runs `handler` for a request that names the board as its host, comes from no other site's page, has a body whose end
 * is known, and is still waited for; answers every other one itself or drops it. What is left of the body is read
 * afterwards. Returns what a handler returns.
 */
esp_err_t http_gate(httpd_req_t *req, http_handler_t handler);
