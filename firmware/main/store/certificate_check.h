/* Is this certificate ours, usable now, and issued by that CA? Pure but for the CPU time it takes. */
#pragma once

#include <stdint.h>

#include "certificate_record.h"

typedef enum {
    CERTIFICATE_OK,
    CERTIFICATE_NO_MEMORY, /* no verdict: it may be as good as it was */
    CERTIFICATE_MALFORMED,
    CERTIFICATE_FOREIGN_KEY, /* its public key is not the other half of our private key */
    CERTIFICATE_WRONG_NAME,  /* CN is not our device id */
    CERTIFICATE_WRONG_USE,   /* it says what it is for, and that is not to be a TLS client */
    CERTIFICATE_NOT_YET_VALID,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_WRONG_CHAIN, /* does not lead to the given CA */
} certificate_verdict_t;

typedef struct {
    const certificate_t *certificate;
    const char *key_pem;
    const char *device_id;
    int64_t now; /* Unix seconds */
} certificate_claim_t;

/** Needs up to 6 KiB of stack (signature checks). */
certificate_verdict_t certificate_check(const certificate_claim_t *claim);

/** When the device's own is valid, Unix seconds; else CERTIFICATE_MALFORMED or _NO_MEMORY. */
certificate_verdict_t certificate_validity(const certificate_t *certificate, int64_t *not_before, int64_t *not_after);

/** For logs and `error.message`. */
const char *certificate_verdict_text(certificate_verdict_t verdict);
