/* The pairing secret and the rate limit of the HTTP server, for every way in. Belongs to its task. */
#pragma once

#include "esp_http_server.h"
#include "pairing.h"

/** Judges the header X-Pairing-Secret or, without one, the field of the body ("" = none). */
pairing_verdict_t access_gate_pairing(httpd_req_t *req, const char *field);

/** Call before a request is stored: 0, or the milliseconds to wait. */
uint32_t access_gate_wait_ms(void);
