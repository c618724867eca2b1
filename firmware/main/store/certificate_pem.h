/* Certificates between PEM (RFC 7468), as PKIs print them, and DER. Pure. */
#pragma once

#include "certificate_record.h"

typedef enum {
    PEM_END,        /* no further certificate */
    PEM_CERTIFICATE,
    PEM_UNREADABLE, /* a block of one that has no end, or is no base64 */
} pem_block_t;

/**
 * Looks for the next certificate at `*text`, decodes it where it lies and leaves `*text` behind it. White space may be
 * anywhere in its base64, or nowhere; keys, CRLs and text around blocks are passed over.
 */
pem_block_t pem_take(char **text, const uint8_t **der, size_t *size);

/** PEM of those that have `role`, for who frees it; NULL when out of memory. ESP-TLS takes several in no other form. */
char *pem_of_certificates(const certificate_t *certificate, uint8_t role);
