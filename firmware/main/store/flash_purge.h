/* What NVS has marked as erased stays in flash, readable, until its page is needed again. Not for secrets. */
#pragma once

#include "esp_err.h"
#include "nvs.h"

/**
 * Overwrites what is erased but still there, of the default partition or at least of the handle's namespace.
 * Where the power fails meanwhile, the next call does the rest. The caller lets nobody write to NVS.
 */
esp_err_t flash_purge_erased(nvs_handle_t handle);

/** Erases the core dump, which holds what was in RAM, if there is one. */
esp_err_t flash_purge_core_dump(void);
