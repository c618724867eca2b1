/* The state that nvs_api.c and nvs_iterator.c share. */
#pragma once

#include "nvs_storage.h"

/**
 * Take the lock of the NVS and return the storage, NULL when it is not initialised (the lock is
 * held then, too). Release it with nvs_unlock.
 */
nvs_storage_t *nvs_lock_storage(void);
void nvs_unlock(void);
