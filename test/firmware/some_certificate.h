/* Records of certificates for those who do not look into them: bytes of the sizes wanted, and no DER. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "certificate_record.h"

static inline certificate_t some_certificate(int byte, size_t own_size, size_t ca_size)
{
    uint8_t *own = malloc(own_size);
    uint8_t *ca = malloc(ca_size);
    certificate_t certificate = {0};
    if (own != NULL && ca != NULL) {
        memset(own, byte, own_size);
        memset(ca, byte + 1, ca_size);
        const certificate_item_t items[] = {{.der = own, .size = own_size, .roles = CERTIFICATE_SENT},
                                            {.der = ca, .size = ca_size, .roles = CERTIFICATE_TRUSTED}};
        (void)certificate_make(items, 2, &certificate);
    }
    free(own);
    free(ca);
    return certificate;
}

static inline bool is_same_certificate(const certificate_t *one, const certificate_t *other)
{
    return one->record_size == other->record_size && memcmp(one->record, other->record, one->record_size) == 0;
}
