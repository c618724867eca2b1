/*
 * The NVS partition as a whole: its pages in the order of their sequence numbers, garbage
 * collection into the one page that is always kept free, and the values of keys.
 *
 * Not thread-safe: nvs_api.c holds the lock.
 */
#pragma once

#include "nvs_page.h"

typedef struct {
    nvs_page_t *pages; /* owned; one for each sector of the partition */
    nvs_page_t **used; /* owned; oldest first, the last one takes new items */
    nvs_page_t **spare; /* owned; pages without live data, next to be used first */
    size_t page_count;
    size_t used_count;
    size_t spare_count;
    uint32_t next_sequence;
} nvs_storage_t;

/* Where an item is. */
typedef struct {
    nvs_page_t *page;
    size_t index;
} nvs_place_t;

/**
 * Load the partition at `offset` and finish or undo what a loss of power interrupted.
 * @return ESP_OK, ESP_ERR_NVS_NO_FREE_PAGES, ESP_ERR_NVS_NEW_VERSION_FOUND, ESP_ERR_NO_MEM, or a
 *         flash error. On failure the storage is closed.
 */
esp_err_t nvs_storage_open(nvs_storage_t *storage, uint32_t offset, uint32_t size);

/** Release the memory. */
void nvs_storage_close(nvs_storage_t *storage);

/**
 * The index of a namespace, creating it if asked to.
 * @return ESP_OK, ESP_ERR_NVS_NOT_FOUND, ESP_ERR_NVS_KEY_TOO_LONG, ESP_ERR_NVS_NOT_ENOUGH_SPACE.
 */
esp_err_t nvs_storage_namespace(nvs_storage_t *storage, const char *name, bool create, uint8_t *ns);

/**
 * Store a value; `record->type` is an nvs_type_t and `record->chunk` is not looked at.
 * @return as nvs_set_str and nvs_set_blob.
 */
esp_err_t nvs_storage_set(nvs_storage_t *storage, const nvs_record_t *record);

/** Size in bytes of a string's or blob's value. ESP_ERR_NVS_NOT_FOUND without one of that type. */
esp_err_t nvs_storage_size(nvs_storage_t *storage, uint8_t ns, uint8_t type, const char *key,
                           size_t *size);

/**
 * Read a value of `size` bytes: the size of an integer, or what nvs_storage_size reported.
 * @return ESP_OK, ESP_ERR_NVS_NOT_FOUND, or a flash error.
 */
esp_err_t nvs_storage_get(nvs_storage_t *storage, uint8_t ns, uint8_t type, const char *key,
                          void *out, size_t size);

/** Erase a key. ESP_ERR_NVS_NOT_FOUND without it. */
esp_err_t nvs_storage_erase_key(nvs_storage_t *storage, uint8_t ns, const char *key);

/** Erase all keys of a namespace; the namespace itself stays. */
esp_err_t nvs_storage_erase_namespace(nvs_storage_t *storage, uint8_t ns);

void nvs_storage_stats(const nvs_storage_t *storage, nvs_stats_t *stats);
size_t nvs_storage_entries_of(const nvs_storage_t *storage, uint8_t ns);

/* For the other files of the storage. */

/** The first matching item of the log. */
bool nvs_storage_find(const nvs_storage_t *storage, const nvs_query_t *query, nvs_place_t *place);

/** The next matching item after `place`; start with nvs_storage_find. */
bool nvs_storage_find_next(const nvs_storage_t *storage, const nvs_query_t *query,
                           nvs_place_t *place);

/** True for items that hold or index a whole value: all but blob chunks. */
bool nvs_item_is_value(const nvs_item_t *item);

/** The type that the API shows for an item: all forms of a blob are one type. */
nvs_type_t nvs_item_api_type(const nvs_item_t *item);

/** The page that takes new items. */
nvs_page_t *nvs_storage_current(const nvs_storage_t *storage);

/**
 * Declare the current page full and take another one, moving the fullest-of-garbage page into
 * the reserve when only that is left. ESP_ERR_NVS_NOT_ENOUGH_SPACE when there is no garbage.
 */
esp_err_t nvs_storage_next_page(nvs_storage_t *storage);

/** Put the first spare page to use, as the current one. */
esp_err_t nvs_storage_activate_page(nvs_storage_t *storage);

/** Take a page out of the log after its items have been moved away. */
esp_err_t nvs_storage_free_page(nvs_storage_t *storage, size_t position);

/** Bring a freshly loaded log back to a consistent state (nvs_recover.c). */
esp_err_t nvs_storage_recover(nvs_storage_t *storage);

/** Append a blob's chunks and then its index (nvs_blob.c); `index_place` receives the latter. */
esp_err_t nvs_blob_append(nvs_storage_t *storage, const nvs_record_t *record, uint8_t chunk_start,
                          nvs_place_t *index_place);

/** Read a blob by its index (nvs_blob.c); erases the blob if a chunk is missing or damaged. */
esp_err_t nvs_blob_read(nvs_storage_t *storage, const nvs_place_t *index_place, void *out);

/** Erase the chunks of a key that are numbered from `chunk_start` (0 or NVS_CHUNK_VERSION_BIT). */
esp_err_t nvs_blob_erase_chunks(nvs_storage_t *storage, uint8_t ns, const char *key,
                                uint8_t chunk_start);
