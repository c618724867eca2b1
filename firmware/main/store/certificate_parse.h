/* mbedTLS' view of one certificate, whichever release of it there is. Pure. */
#pragma once

#include "certificate_check.h"
#include "mbedtls/x509_crt.h"

/** `code` of mbedTLS as a verdict: OK, NO_MEMORY or `otherwise`. */
certificate_verdict_t certificate_verdict_of(int code, certificate_verdict_t otherwise);

/** Appends the certificate to `chain`, which points into `der` from then on: OK, NO_MEMORY or MALFORMED. */
certificate_verdict_t certificate_parse(mbedtls_x509_crt *chain, const uint8_t *der, size_t size);
