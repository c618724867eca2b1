/* The certificates of one enrolment, as the bytes of one NVS blob. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prov_limits.h"

/* What a certificate is for; one may be both. */
#define CERTIFICATE_SENT 1    /* shown to a peer: the device's own, then those that issued it */
#define CERTIFICATE_TRUSTED 2 /* a peer's certificate leads to it */

/* As many of the smallest have more than PROV_CERTIFICATES_MAX bytes. */
#define CERTIFICATE_COUNT_MAX 32
/* Before each certificate of a record: its roles, and its size in 16 bits. */
#define CERTIFICATE_HEAD 3
/* The longest record: its version, then the certificates. */
#define CERTIFICATE_RECORD_MAX (1 + CERTIFICATE_COUNT_MAX * CERTIFICATE_HEAD + PROV_CERTIFICATES_MAX)

/** Points into memory of somebody else. */
typedef struct {
    const uint8_t *der;
    size_t size;
    uint8_t roles;
} certificate_item_t;

/** What the device shows and what it trusts. Owns one heap block, `record`. */
typedef struct {
    uint8_t *record;
    size_t record_size;
} certificate_t;

/** Builds the record, in this order; false when out of memory. The DER of all may have PROV_CERTIFICATES_MAX bytes. */
bool certificate_make(const certificate_item_t *items, size_t count, certificate_t *out);

/** Takes ownership of `record` (heap); frees it and returns false if malformed. */
bool certificate_adopt(uint8_t *record, size_t size, certificate_t *out);

/** Moves `item`, which begins as zeroes, to the next one that has `role`; false when there is none. */
bool certificate_next(const certificate_t *certificate, uint8_t role, certificate_item_t *item);

void certificate_free(certificate_t *certificate);
