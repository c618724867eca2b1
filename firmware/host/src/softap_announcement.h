/* The SoftAP as others see it on the air: the file aps/<mac>.json, which is there while it sends beacons. */
#pragma once

#include <stdbool.h>

#include "host_softap.h"

/** Writes or replaces it. `port` is where the HTTP server is. */
void softap_announcement_write(const host_softap_state_t *state, int port);
void softap_announcement_remove(void);
/** Whether a file of aps/ is this board's. */
bool softap_announcement_is_own(const char *name);
