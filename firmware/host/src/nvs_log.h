/*
 * The NVS partition as a log of items: its pages in the order of their sequence numbers, and
 * garbage collection into the one page that is always kept free.
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
} nvs_log_t;

/* Where an item is. */
typedef struct {
    nvs_page_t *page; /* NULL: before the first item */
    size_t index;
} nvs_place_t;

/**
 * Load the pages of the partition at `offset`, as a loss of power may have left them.
 * @return ESP_OK, ESP_ERR_NVS_NEW_VERSION_FOUND, ESP_ERR_NO_MEM, or a flash error; nvs_log_close
 *         is due in every case.
 */
esp_err_t nvs_log_load(nvs_log_t *log, uint32_t offset, uint32_t size);

/** Release the memory. */
void nvs_log_close(nvs_log_t *log);

/** Go on to the next matching item after `place`. */
bool nvs_log_next(const nvs_log_t *log, const nvs_query_t *query, nvs_place_t *place);

/** The first matching item of the log. */
bool nvs_log_find(const nvs_log_t *log, const nvs_query_t *query, nvs_place_t *place);

const nvs_item_t *nvs_item_at(const nvs_place_t *place);

/** Mark the item at `place` as erased. */
esp_err_t nvs_log_erase(const nvs_place_t *place);

/**
 * Append an item, on another page if need be; `place` receives where it is.
 * @return ESP_OK, ESP_ERR_NVS_NOT_ENOUGH_SPACE, or a flash error.
 */
esp_err_t nvs_log_append(nvs_log_t *log, const nvs_record_t *record, nvs_place_t *place);

/** The page that takes new items. */
nvs_page_t *nvs_log_current(const nvs_log_t *log);

/**
 * Declare the current page full and take another one, moving the fullest-of-garbage page into
 * the reserve when only that is left. ESP_ERR_NVS_NOT_ENOUGH_SPACE when there is no garbage.
 */
esp_err_t nvs_log_next_page(nvs_log_t *log);

/** Put the first spare page to use, as the current one. */
esp_err_t nvs_log_activate_page(nvs_log_t *log);

/** Move the items of the page at `position` to a page of their own, and that page out of the log. */
esp_err_t nvs_log_move_page(nvs_log_t *log, size_t position);

/** Take a page out of the log; its items are elsewhere. */
esp_err_t nvs_log_free_page(nvs_log_t *log, size_t position);

void nvs_log_stats(const nvs_log_t *log, nvs_stats_t *stats);
