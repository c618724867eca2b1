/*
 * NVS on flash, format version 2, as ESP-IDF writes it ("Non-Volatile Storage Library",
 * "Internals"): a page of 4096 bytes is a 32-byte header, a 32-byte table with two state bits
 * for each entry, and 126 entries of 32 bytes. An item is one header entry, followed by its
 * data for strings and blob chunks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nvs.h"

enum {
    NVS_PAGE_SIZE = 4096,
    NVS_ENTRY_SIZE = 32,
    NVS_ENTRY_COUNT = 126,
    NVS_TABLE_OFFSET = 32,
    NVS_TABLE_SIZE = 32,
    NVS_DATA_OFFSET = 64,
    NVS_KEY_MAX = NVS_KEY_NAME_MAX_SIZE - 1,
    NVS_CHUNK_MAX = NVS_ENTRY_SIZE * (NVS_ENTRY_COUNT - 1), /* bytes of data that fit on a page */
};

#define NVS_FORMAT_VERSION 0xFEu /* counts down; 0xFF is the first version, without blob indexes */

/* Page states, in the first word of a page. Each follows from the one before by clearing a bit. */
#define NVS_PAGE_BLANK 0xFFFFFFFFu
#define NVS_PAGE_ACTIVE 0xFFFFFFFEu
#define NVS_PAGE_FULL 0xFFFFFFFCu
#define NVS_PAGE_FREEING 0xFFFFFFF8u
/* Never written by this code: a page that cannot be made sense of, to be erased before use. */
#define NVS_PAGE_CORRUPT 0xFFFFFFF0u
/* Only in memory: the flash failed, so what the page holds is unknown. */
#define NVS_PAGE_INVALID 0u

typedef enum {
    NVS_ENTRY_ERASED = 0,
    NVS_ENTRY_ILLEGAL = 1,
    NVS_ENTRY_WRITTEN = 2,
    NVS_ENTRY_EMPTY = 3,
} nvs_entry_state_t;

/* Item types that the API does not show; the others are nvs_type_t. */
#define NVS_ITEM_BLOB_V1 0x41u   /* a whole blob in one item: format version 1 */
#define NVS_ITEM_BLOB_DATA 0x42u /* one chunk of a blob */
#define NVS_ITEM_BLOB_INDEX 0x48u
#define NVS_ITEM_ANY 0xFFu

#define NVS_NAMESPACE_INDEX 0u /* the items of namespace 0 name the other namespaces */
#define NVS_NAMESPACE_ANY 0xFFu

/* A blob's chunks are numbered from 0 or from 128: a new value takes the range that the old one
 * does not use, so both can exist until the new index is complete. */
#define NVS_CHUNK_VERSION_BIT 0x80u
#define NVS_CHUNK_NONE 0xFFu
#define NVS_CHUNK_COUNT_MAX 127u

typedef struct {
    uint32_t state;
    uint32_t sequence;
    uint8_t version;
    uint8_t reserved[19];
    uint32_t crc32; /* of everything but the state */
} nvs_page_header_t;

typedef struct {
    uint8_t ns;
    uint8_t type;
    uint8_t span; /* entries, this one included */
    uint8_t chunk;
    uint32_t crc32; /* of everything but itself */
    char key[NVS_KEY_NAME_MAX_SIZE];
    union {
        struct {
            uint16_t size; /* bytes */
            uint16_t reserved;
            uint32_t crc32;
        } body; /* strings, blob chunks, version 1 blobs */
        struct {
            uint32_t size; /* bytes, of all chunks */
            uint8_t chunk_count;
            uint8_t chunk_start;
            uint16_t reserved;
        } blob;
        uint8_t value[8];
    };
} nvs_item_t;

_Static_assert(sizeof(nvs_page_header_t) == 32, "page header");
_Static_assert(sizeof(nvs_item_t) == NVS_ENTRY_SIZE, "item header");

/** CRC-32 as the ROM of the chip computes it. Chain calls by passing the last result as `crc`. */
uint32_t nvs_crc32(uint32_t crc, const void *data, size_t size);
#define NVS_CRC_SEED UINT32_MAX

uint32_t nvs_page_header_crc(const nvs_page_header_t *header);
uint32_t nvs_item_crc(const nvs_item_t *item);

/** True for types whose data follows the header entry. */
bool nvs_type_has_body(uint8_t type);

/** Number of entries taken by a body of `size` bytes. */
size_t nvs_body_entries(size_t size);

/** True when `item`, found at entry `index`, is a complete and plausible item header. */
bool nvs_item_is_valid(const nvs_item_t *item, size_t index);

/** True when the item's key is `key`. Like ESP-IDF, compares no more than 15 bytes. */
bool nvs_item_has_key(const nvs_item_t *item, const char *key);

/** True for items that hold or index a whole value: all but blob chunks. */
bool nvs_item_is_value(const nvs_item_t *item);

/** The type that the API shows for an item: all forms of a blob are one type. */
nvs_type_t nvs_item_api_type(const nvs_item_t *item);
