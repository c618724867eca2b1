/* The state that nvs_api.c and nvs_iterator.c share. */
#pragma once

#include "nvs_values.h"

/**
 * Take the lock of the NVS and return its log, NULL when it is not initialised (the lock is
 * held then, too). Release it with nvs_unlock.
 */
nvs_log_t *nvs_lock_log(void);
void nvs_unlock(void);
