/*
 * One page (flash sector) of the NVS partition: a log of items that only grows until the page
 * is erased. Item headers and entry states are mirrored in memory; data is read from flash.
 */
#pragma once

#include "nvs_format.h"

typedef struct {
    uint32_t address; /* in the flash */
    uint32_t state;   /* NVS_PAGE_… */
    uint32_t sequence;
    size_t next_free; /* entry; NVS_ENTRY_COUNT when there is none */
    size_t used;      /* entries in state WRITTEN */
    uint8_t table[NVS_TABLE_SIZE];
    bool is_head[NVS_ENTRY_COUNT];     /* a live item starts here */
    nvs_item_t items[NVS_ENTRY_COUNT]; /* meaningful where is_head */
} nvs_page_t;

/* What to write: the value of a key, or one chunk of it. */
typedef struct {
    uint8_t ns;
    uint8_t type;
    uint8_t chunk; /* NVS_CHUNK_NONE except for NVS_ITEM_BLOB_DATA */
    const char *key;
    const void *data;
    size_t size; /* bytes; at most 8 for types without a body */
} nvs_record_t;

/* What to look for. A key that is NULL matches every key. */
typedef struct {
    uint8_t ns;    /* or NVS_NAMESPACE_ANY */
    uint8_t type;  /* or NVS_ITEM_ANY */
    uint8_t chunk; /* of NVS_ITEM_BLOB_DATA: a chunk's number, or NVS_CHUNK_NONE for any */
    const char *key;
} nvs_query_t;

/**
 * Read a page and repair what a loss of power left of its last item.
 * @return ESP_OK (look at page->state), ESP_ERR_NVS_NEW_VERSION_FOUND, or a flash error.
 */
esp_err_t nvs_page_load(nvs_page_t *page, uint32_t address);

/** The first matching item at entry `from` or later; NVS_ENTRY_COUNT when there is none. */
size_t nvs_page_find(const nvs_page_t *page, const nvs_query_t *query, size_t from);

/**
 * Append an item. `out_index` (may be NULL) receives its entry.
 * @return ESP_OK, ESP_ERR_NVS_PAGE_FULL, ESP_ERR_NVS_INVALID_STATE, or a flash error.
 */
esp_err_t nvs_page_append(nvs_page_t *page, const nvs_record_t *record, size_t *out_index);

/**
 * Read an item's body into `out` (items[index].body.size bytes) and check its CRC.
 * @return ESP_OK, ESP_ERR_NVS_NOT_FOUND (damaged: the item has been erased), or a flash error.
 */
esp_err_t nvs_page_read_body(nvs_page_t *page, size_t index, void *out);

/** Mark the item at `index` as erased. */
esp_err_t nvs_page_erase_item(nvs_page_t *page, size_t index);

/** Move the page on to NVS_PAGE_FULL or NVS_PAGE_FREEING. */
esp_err_t nvs_page_set_state(nvs_page_t *page, uint32_t state);

/** Append all live items of `from` to `to`, which has room for them. */
esp_err_t nvs_page_copy_items(const nvs_page_t *from, nvs_page_t *to);

/** Erase the sector; the page is NVS_PAGE_BLANK then. */
esp_err_t nvs_page_erase(nvs_page_t *page);

/** Bytes of data that one more item with a body could hold. */
size_t nvs_page_tailroom(const nvs_page_t *page);

/** True when the page takes part in the log (active, full or being freed). */
bool nvs_page_in_use(const nvs_page_t *page);
