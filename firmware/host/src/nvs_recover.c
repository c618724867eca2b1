#include "nvs_recover.h"

/* What a loss of power can leave behind, and what is done about it at the next start:
 *  - half an item, or half an erase of one: nvs_page.c, while loading the page;
 *  - a page that was being moved: the move is made again from the start;
 *  - a new value next to the old one: the old one goes;
 *  - an index without all its chunks: it goes;
 *  - chunks without their index: they go.
 * Every step may itself be interrupted and is then repeated. */

static const nvs_query_t ANY_ITEM = {.ns = NVS_NAMESPACE_ANY, .type = NVS_ITEM_ANY};

/* A page is moved only when no other takes items, so an active page is the unfinished copy. */
static esp_err_t finish_move(nvs_log_t *log)
{
    size_t position = 0;
    while (position < log->used_count && log->used[position]->state != NVS_PAGE_FREEING) {
        ++position;
    }
    if (position == log->used_count) {
        return ESP_OK;
    }
    esp_err_t err = ESP_OK;
    if (nvs_log_current(log)->state == NVS_PAGE_ACTIVE) {
        err = nvs_log_free_page(log, log->used_count - 1);
    }
    return err == ESP_OK ? nvs_log_move_page(log, position) : err;
}

static bool owns_chunk(const nvs_item_t *index, const nvs_item_t *chunk)
{
    /* Unsigned: chunks numbered below the start become large. */
    const unsigned number = (unsigned)chunk->chunk - index->blob.chunk_start;
    return index->ns == chunk->ns && nvs_item_has_key(index, chunk->key) &&
           number < index->blob.chunk_count;
}

static bool index_is_complete(const nvs_log_t *log, const nvs_item_t *index)
{
    const nvs_query_t chunks = {index->ns, NVS_ITEM_BLOB_DATA, NVS_CHUNK_NONE, index->key};
    size_t size = 0;
    size_t count = 0;
    nvs_place_t place = {0};
    while (nvs_log_next(log, &chunks, &place)) {
        if (owns_chunk(index, nvs_item_at(&place))) {
            size += nvs_item_at(&place)->body.size;
            count += 1;
        }
    }
    return size == index->blob.size && count == index->blob.chunk_count;
}

/* The last item of the log: the only one that can have been written without its predecessor
 * being erased. */
static bool is_last_item(const nvs_log_t *log, nvs_place_t place)
{
    return !nvs_log_next(log, &ANY_ITEM, &place);
}

/* True when a later item replaces the value at `place`. Values of different types count as
 * one key only for the last item: old versions of ESP-IDF kept both on purpose. */
static bool is_replaced(const nvs_log_t *log, nvs_place_t place)
{
    const nvs_item_t *old = nvs_item_at(&place);
    const nvs_query_t query = {.ns = old->ns, .type = NVS_ITEM_ANY, .key = old->key};
    while (nvs_log_next(log, &query, &place)) {
        const nvs_item_t *newer = nvs_item_at(&place);
        if (!nvs_item_is_value(newer)) {
            continue;
        }
        const bool same_type = nvs_item_api_type(newer) == nvs_item_api_type(old);
        if (same_type || is_last_item(log, place)) {
            return true;
        }
    }
    return false;
}

static bool is_orphan(const nvs_log_t *log, const nvs_item_t *chunk)
{
    const nvs_query_t indexes = {.ns = chunk->ns, .type = NVS_ITEM_BLOB_INDEX, .key = chunk->key};
    nvs_place_t place = {0};
    while (nvs_log_next(log, &indexes, &place)) {
        if (owns_chunk(nvs_item_at(&place), chunk)) {
            return false;
        }
    }
    return true;
}

typedef bool (*verdict_t)(const nvs_log_t *log, nvs_place_t place);

static bool is_broken_index(const nvs_log_t *log, nvs_place_t place)
{
    const nvs_item_t *item = nvs_item_at(&place);
    return item->type == NVS_ITEM_BLOB_INDEX && !index_is_complete(log, item);
}

static bool is_old_value(const nvs_log_t *log, nvs_place_t place)
{
    return nvs_item_is_value(nvs_item_at(&place)) && is_replaced(log, place);
}

static bool is_orphaned_chunk(const nvs_log_t *log, nvs_place_t place)
{
    return !nvs_item_is_value(nvs_item_at(&place)) && is_orphan(log, nvs_item_at(&place));
}

static esp_err_t erase_all_that(nvs_log_t *log, verdict_t verdict)
{
    nvs_place_t place = {0};
    esp_err_t err = ESP_OK;
    while (err == ESP_OK && nvs_log_next(log, &ANY_ITEM, &place)) {
        if (verdict(log, place)) {
            err = nvs_log_erase(&place);
        }
    }
    return err;
}

esp_err_t nvs_recover(nvs_log_t *log)
{
    /* Broken indexes first: a value that is not complete must not displace the one before it. */
    static const verdict_t steps[] = {is_broken_index, is_old_value, is_orphaned_chunk};

    esp_err_t err = log->used_count == 0 ? nvs_log_activate_page(log) : finish_move(log);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == ESP_OK; ++i) {
        err = erase_all_that(log, steps[i]);
    }
    return err == ESP_OK && log->spare_count == 0 ? ESP_ERR_NVS_NO_FREE_PAGES : err;
}
