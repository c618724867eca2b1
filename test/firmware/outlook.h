/* What the failure table says of a device after a failure, for the tests of the code that makes it so. */
#pragma once

#include "prov_failure.h"

typedef enum { OUTLOOK_NONE, OUTLOOK_GIVES_UP, OUTLOOK_NEEDS_HELP, OUTLOOK_TRIES_ON } outlook_t;

static inline outlook_t outlook_of(prov_failure_t failure)
{
    static const outlook_t OUTLOOKS[PROV_FAILURE_COUNT] = {
#define PROV_FAILURE(name, code, message, outlook) [PROV_FAILURE_##name] = OUTLOOK_##outlook,
#include "prov_failure.inc"
#undef PROV_FAILURE
    };
    return OUTLOOKS[failure];
}
