/* What a PKI gives, as what the device keeps: two texts of PEM become one record of DER. Pure. */
#pragma once

#include "certificate_check.h"

#define CERTIFICATE_FLAW_MAX 72

typedef struct {
    certificate_t certificate;  /* the caller's when the verdict is OK */
    char flaw[CERTIFICATE_FLAW_MAX]; /* what is wrong when it is MALFORMED */
    uint32_t passed_over;       /* bit N: block N + 1 of the trusted ones cannot be read, and others can */
} certificate_reading_t;

/**
 * Reads the device's certificate with what else is to be shown, and those to trust; writes into both texts. What is shown
 * is put in order: the device's own, those that lead to the root, wherever they stood, then what else was given for it.
 * OK, NO_MEMORY or MALFORMED.
 */
certificate_verdict_t certificate_read(char *certificate_pem, char *ca_pem, certificate_reading_t *reading);
