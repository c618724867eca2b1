#include "certificate_record.h"

#include <stdlib.h>
#include <string.h>

/*
 * A version byte, then of each certificate its roles, a 16-bit little-endian size and that much DER. Version 1 is of
 * two PEM texts (prov_records.h). One that is both shown and trusted is there once.
 */
#define RECORD_VERSION 2
#define ROLES (CERTIFICATE_SENT | CERTIFICATE_TRUSTED)

/** The one that begins at `at`, within the record; false when none does. */
static bool item_at(const uint8_t *at, const uint8_t *end, certificate_item_t *item)
{
    if (end - at < CERTIFICATE_HEAD) {
        return false;
    }
    size_t size = (size_t)at[1] | (size_t)at[2] << 8;
    *item = (certificate_item_t){.der = at + CERTIFICATE_HEAD, .size = size, .roles = at[0]};
    return size > 0 && size <= (size_t)(end - item->der) && item->roles != 0 && (item->roles & ~ROLES) == 0;
}

bool certificate_next(const certificate_t *certificate, uint8_t role, certificate_item_t *item)
{
    const uint8_t *end = certificate->record + certificate->record_size;
    const uint8_t *at = item->der != NULL ? item->der + item->size : certificate->record + 1;
    while (item_at(at, end, item)) {
        if ((item->roles & role) != 0) {
            return true;
        }
        at = item->der + item->size;
    }
    return false;
}

/** Each byte belongs to a certificate; one is shown, and one is trusted. */
static bool is_whole(const uint8_t *record, size_t size)
{
    if (size == 0 || record[0] != RECORD_VERSION) {
        return false;
    }
    const uint8_t *at = record + 1;
    const uint8_t *end = record + size;
    uint8_t roles = 0;
    certificate_item_t item;
    while (item_at(at, end, &item)) {
        roles |= item.roles;
        at = item.der + item.size;
    }
    return at == end && roles == ROLES;
}

bool certificate_adopt(uint8_t *record, size_t size, certificate_t *out)
{
    if (!is_whole(record, size)) {
        free(record);
        *out = (certificate_t){0};
        return false;
    }
    *out = (certificate_t){.record = record, .record_size = size};
    return true;
}

bool certificate_make(const certificate_item_t *items, size_t count, certificate_t *out)
{
    *out = (certificate_t){0};
    size_t size = 1;
    for (size_t i = 0; i < count; i++) {
        size += CERTIFICATE_HEAD + items[i].size;
    }
    uint8_t *record = malloc(size);
    if (record == NULL) {
        return false;
    }
    uint8_t *at = record;
    *at++ = RECORD_VERSION;
    for (size_t i = 0; i < count; i++) {
        *at++ = items[i].roles;
        *at++ = (uint8_t)(items[i].size & 0xff);
        *at++ = (uint8_t)(items[i].size >> 8);
        memcpy(at, items[i].der, items[i].size);
        at += items[i].size;
    }
    return certificate_adopt(record, size, out);
}

void certificate_free(certificate_t *certificate)
{
    free(certificate->record);
    *certificate = (certificate_t){0};
}
