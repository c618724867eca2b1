#include "nvs_storage.h"

#include <string.h>

/* What a loss of power can leave behind, and what is done about it at the next start:
 *  - half an item, or half an erase of one: nvs_page.c, while loading the page;
 *  - a page that was being moved: the move is made again from the start;
 *  - a new value next to the old one: the old one goes;
 *  - an index without all its chunks: it goes;
 *  - chunks without their index: they go.
 * Every step may itself be interrupted and is then repeated. */

static const nvs_query_t ANY_ITEM = {NVS_NAMESPACE_ANY, NVS_ITEM_ANY, NVS_CHUNK_NONE, NULL};

static const nvs_item_t *item_at(const nvs_place_t *place)
{
    return &place->page->items[place->index];
}

static bool find_moved_page(const nvs_storage_t *storage, size_t *position)
{
    for (size_t i = 0; i < storage->used_count; ++i) {
        if (storage->used[i]->state == NVS_PAGE_FREEING) {
            *position = i;
            return true;
        }
    }
    return false;
}

/* A page is moved only when no other takes items, so an active page is the unfinished copy. */
static esp_err_t finish_move(nvs_storage_t *storage)
{
    size_t position;
    if (!find_moved_page(storage, &position)) {
        return ESP_OK;
    }
    const nvs_page_t *moved = storage->used[position];
    esp_err_t err = ESP_OK;
    if (nvs_storage_current(storage)->state == NVS_PAGE_ACTIVE) {
        err = nvs_storage_free_page(storage, storage->used_count - 1);
    }
    if (err == ESP_OK) {
        err = nvs_storage_activate_page(storage);
    }
    if (err == ESP_OK) {
        err = nvs_page_copy_items(moved, nvs_storage_current(storage));
    }
    return err == ESP_OK ? nvs_storage_free_page(storage, position) : err;
}

static bool same_key(const nvs_item_t *a, const nvs_item_t *b)
{
    return a->ns == b->ns && nvs_item_has_key(a, b->key);
}

static bool is_blob(const nvs_item_t *item)
{
    return item->type == NVS_ITEM_BLOB_INDEX || item->type == NVS_ITEM_BLOB_V1;
}

static bool owns_chunk(const nvs_item_t *index, const nvs_item_t *chunk)
{
    /* Unsigned: chunks numbered below the start become large. */
    const unsigned number = (unsigned)chunk->chunk - index->blob.chunk_start;
    return same_key(index, chunk) && number < index->blob.chunk_count;
}

static bool index_is_complete(const nvs_storage_t *storage, const nvs_item_t *index)
{
    const nvs_query_t chunks = {.ns = index->ns,
                                .type = NVS_ITEM_BLOB_DATA,
                                .chunk = NVS_CHUNK_NONE,
                                .key = index->key};
    size_t size = 0;
    size_t count = 0;
    nvs_place_t place;
    for (bool more = nvs_storage_find(storage, &chunks, &place); more;
         more = nvs_storage_find_next(storage, &chunks, &place)) {
        if (owns_chunk(index, item_at(&place))) {
            size += item_at(&place)->body.size;
            count += 1;
        }
    }
    return size == index->blob.size && count == index->blob.chunk_count;
}

/* The last item of the log: the only one that can have been written without its predecessor
 * being erased. */
static bool is_last_item(const nvs_storage_t *storage, nvs_place_t place)
{
    return !nvs_storage_find_next(storage, &ANY_ITEM, &place);
}

/* True when a later item replaces the value at `place`. Values of different types count as
 * one key only for the last item: old versions of ESP-IDF kept both on purpose. */
static bool is_replaced(const nvs_storage_t *storage, nvs_place_t place)
{
    const nvs_item_t *old = item_at(&place);
    const nvs_query_t query = {
        .ns = old->ns, .type = NVS_ITEM_ANY, .chunk = NVS_CHUNK_NONE, .key = old->key};
    while (nvs_storage_find_next(storage, &query, &place)) {
        const nvs_item_t *newer = item_at(&place);
        if (!nvs_item_is_value(newer)) {
            continue;
        }
        const bool same_type = newer->type == old->type || (is_blob(newer) && is_blob(old));
        if (same_type || is_last_item(storage, place)) {
            return true;
        }
    }
    return false;
}

static bool is_orphan(const nvs_storage_t *storage, const nvs_item_t *chunk)
{
    const nvs_query_t indexes = {.ns = chunk->ns,
                                 .type = NVS_ITEM_BLOB_INDEX,
                                 .chunk = NVS_CHUNK_NONE,
                                 .key = chunk->key};
    nvs_place_t place;
    for (bool more = nvs_storage_find(storage, &indexes, &place); more;
         more = nvs_storage_find_next(storage, &indexes, &place)) {
        if (owns_chunk(item_at(&place), chunk)) {
            return false;
        }
    }
    return true;
}

typedef bool (*verdict_t)(const nvs_storage_t *storage, nvs_place_t place);

static bool is_broken_index(const nvs_storage_t *storage, nvs_place_t place)
{
    const nvs_item_t *item = item_at(&place);
    return item->type == NVS_ITEM_BLOB_INDEX && !index_is_complete(storage, item);
}

static bool is_old_value(const nvs_storage_t *storage, nvs_place_t place)
{
    return nvs_item_is_value(item_at(&place)) && is_replaced(storage, place);
}

static bool is_orphaned_chunk(const nvs_storage_t *storage, nvs_place_t place)
{
    return !nvs_item_is_value(item_at(&place)) && is_orphan(storage, item_at(&place));
}

static esp_err_t erase_all_that(nvs_storage_t *storage, verdict_t verdict)
{
    nvs_place_t place;
    for (bool more = nvs_storage_find(storage, &ANY_ITEM, &place); more;
         more = nvs_storage_find_next(storage, &ANY_ITEM, &place)) {
        if (verdict(storage, place)) {
            esp_err_t err = nvs_page_erase_item(place.page, place.index);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return ESP_OK;
}

esp_err_t nvs_storage_recover(nvs_storage_t *storage)
{
    /* Broken indexes first: a value that is not complete must not displace the one before it. */
    static const verdict_t steps[] = {is_broken_index, is_old_value, is_orphaned_chunk};

    esp_err_t err = finish_move(storage);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == ESP_OK; ++i) {
        err = erase_all_that(storage, steps[i]);
    }
    return err;
}
