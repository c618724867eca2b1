/* Every way the device can fail, named once: the rows come from the same table as the host's names. */
#pragma once

#include <stdbool.h>

typedef enum {
    PROV_FAILURE_NONE = 0,
#define PROV_FAILURE(name, code, message, outlook) PROV_FAILURE_##name,
#include "prov_failure.inc"
#undef PROV_FAILURE
    PROV_FAILURE_COUNT
} prov_failure_t;

/** The stable name that /status and the log carry, e.g. "wifi_wrong_password"; "" for NONE. */
const char *prov_failure_code(prov_failure_t failure);

/** One English sentence for people; "" for NONE. */
const char *prov_failure_message(prov_failure_t failure);

/** Whether no try gets the device out of it, though it goes on trying: a certificate does not become trusted by waiting. */
bool prov_failure_needs_help(prov_failure_t failure);
