#include "nvs_storage.h"

#include <stdlib.h>
#include <string.h>

bool nvs_item_is_value(const nvs_item_t *item)
{
    return item->type != NVS_ITEM_BLOB_DATA;
}

nvs_type_t nvs_item_api_type(const nvs_item_t *item)
{
    return item->type == NVS_ITEM_BLOB_INDEX || item->type == NVS_ITEM_BLOB_V1
               ? NVS_TYPE_BLOB
               : (nvs_type_t)item->type;
}

nvs_page_t *nvs_storage_current(const nvs_storage_t *storage)
{
    return storage->used[storage->used_count - 1];
}

/* Search from entry `from` of the used page number `position`. */
static bool find_from(const nvs_storage_t *storage, const nvs_query_t *query, size_t position,
                      size_t from, nvs_place_t *place)
{
    for (; position < storage->used_count; ++position, from = 0) {
        nvs_page_t *page = storage->used[position];
        const size_t index = nvs_page_find(page, query, from);
        if (index < NVS_ENTRY_COUNT) {
            *place = (nvs_place_t){page, index};
            return true;
        }
    }
    return false;
}

bool nvs_storage_find(const nvs_storage_t *storage, const nvs_query_t *query, nvs_place_t *place)
{
    return find_from(storage, query, 0, 0, place);
}

bool nvs_storage_find_next(const nvs_storage_t *storage, const nvs_query_t *query,
                           nvs_place_t *place)
{
    size_t position = 0;
    while (position < storage->used_count && storage->used[position] != place->page) {
        ++position;
    }
    return find_from(storage, query, position, place->index + 1, place);
}

static void remove_at(nvs_page_t **list, size_t *count, size_t position)
{
    memmove(&list[position], &list[position + 1], (*count - position - 1) * sizeof(list[0]));
    *count -= 1;
}

esp_err_t nvs_storage_activate_page(nvs_storage_t *storage)
{
    if (storage->spare_count == 0) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    nvs_page_t *page = storage->spare[0];
    if (page->state != NVS_PAGE_BLANK) {
        esp_err_t err = nvs_page_erase(page);
        if (err != ESP_OK) {
            return err;
        }
    }
    remove_at(storage->spare, &storage->spare_count, 0);
    page->sequence = storage->next_sequence;
    storage->next_sequence += 1;
    storage->used[storage->used_count] = page;
    storage->used_count += 1;
    return ESP_OK;
}

esp_err_t nvs_storage_free_page(nvs_storage_t *storage, size_t position)
{
    nvs_page_t *page = storage->used[position];
    esp_err_t err = nvs_page_erase(page);
    if (err == ESP_OK) {
        remove_at(storage->used, &storage->used_count, position);
        storage->spare[storage->spare_count] = page;
        storage->spare_count += 1;
    }
    return err;
}

/* The page whose move gains most: the oldest of those with the fewest live entries. */
static esp_err_t choose_victim(const nvs_storage_t *storage, size_t *position)
{
    size_t most = 0;
    for (size_t i = 0; i < storage->used_count; ++i) {
        const size_t gain = NVS_ENTRY_COUNT - storage->used[i]->used;
        if (gain > most) {
            most = gain;
            *position = i;
        }
    }
    return most > 0 ? ESP_OK : ESP_ERR_NVS_NOT_ENOUGH_SPACE;
}

esp_err_t nvs_storage_next_page(nvs_storage_t *storage)
{
    nvs_page_t *current = nvs_storage_current(storage);
    esp_err_t err = ESP_OK;
    if (current->state == NVS_PAGE_ACTIVE) {
        err = nvs_page_set_state(current, NVS_PAGE_FULL);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (storage->spare_count == 0) {
        return ESP_ERR_NVS_INVALID_STATE;
    }
    if (storage->spare_count > 1) {
        return nvs_storage_activate_page(storage);
    }

    size_t position = 0;
    err = choose_victim(storage, &position);
    if (err != ESP_OK) {
        return err;
    }
    nvs_page_t *victim = storage->used[position];
    if (victim->state != NVS_PAGE_FULL) {
        return ESP_ERR_NVS_INVALID_STATE;
    }
    err = nvs_page_set_state(victim, NVS_PAGE_FREEING);
    if (err == ESP_OK) {
        err = nvs_storage_activate_page(storage);
    }
    if (err == ESP_OK) {
        err = nvs_page_copy_items(victim, nvs_storage_current(storage));
    }
    return err == ESP_OK ? nvs_storage_free_page(storage, position) : err;
}

static esp_err_t load_pages(nvs_storage_t *storage, uint32_t offset)
{
    for (size_t i = 0; i < storage->page_count; ++i) {
        nvs_page_t *page = &storage->pages[i];
        esp_err_t err = nvs_page_load(page, offset + (uint32_t)i * NVS_PAGE_SIZE);
        if (err != ESP_OK) {
            return err;
        }
        if (!nvs_page_in_use(page)) {
            storage->spare[storage->spare_count] = page;
            storage->spare_count += 1;
            continue;
        }
        size_t position = storage->used_count;
        while (position > 0 && storage->used[position - 1]->sequence > page->sequence) {
            storage->used[position] = storage->used[position - 1];
            --position;
        }
        storage->used[position] = page;
        storage->used_count += 1;
    }
    if (storage->used_count > 0) {
        storage->next_sequence = nvs_storage_current(storage)->sequence + 1;
    }
    return ESP_OK;
}

esp_err_t nvs_storage_open(nvs_storage_t *storage, uint32_t offset, uint32_t size)
{
    memset(storage, 0, sizeof(*storage));
    storage->page_count = size / NVS_PAGE_SIZE;
    storage->pages = calloc(storage->page_count + 1, sizeof(storage->pages[0]));
    storage->used = calloc(storage->page_count + 1, sizeof(storage->used[0]));
    storage->spare = calloc(storage->page_count + 1, sizeof(storage->spare[0]));

    esp_err_t err = ESP_ERR_NO_MEM;
    if (storage->pages != NULL && storage->used != NULL && storage->spare != NULL) {
        err = load_pages(storage, offset);
    }
    if (err == ESP_OK) {
        err = storage->used_count == 0 ? nvs_storage_activate_page(storage)
                                       : nvs_storage_recover(storage);
    }
    if (err == ESP_OK && storage->spare_count == 0) {
        err = ESP_ERR_NVS_NO_FREE_PAGES;
    }
    if (err != ESP_OK) {
        nvs_storage_close(storage);
    }
    return err;
}

void nvs_storage_close(nvs_storage_t *storage)
{
    free(storage->pages);
    free(storage->used);
    free(storage->spare);
    memset(storage, 0, sizeof(*storage));
}

/* The place of a key's value of one type; a blob may be stored in either format. */
static bool find_typed(const nvs_storage_t *storage, uint8_t ns, uint8_t type, const char *key,
                       nvs_place_t *place)
{
    nvs_query_t query = {.ns = ns, .type = type, .chunk = NVS_CHUNK_NONE, .key = key};
    if (type != NVS_TYPE_BLOB) {
        return nvs_storage_find(storage, &query, place);
    }
    query.type = NVS_ITEM_BLOB_INDEX;
    if (nvs_storage_find(storage, &query, place)) {
        return true;
    }
    query.type = NVS_ITEM_BLOB_V1;
    return nvs_storage_find(storage, &query, place);
}

static const nvs_item_t *item_at(const nvs_place_t *place)
{
    return &place->page->items[place->index];
}

static size_t value_size(const nvs_item_t *item)
{
    return item->type == NVS_ITEM_BLOB_INDEX ? item->blob.size : item->body.size;
}

esp_err_t nvs_storage_size(nvs_storage_t *storage, uint8_t ns, uint8_t type, const char *key,
                           size_t *size)
{
    nvs_place_t place;
    if (!find_typed(storage, ns, type, key, &place)) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    *size = value_size(item_at(&place));
    return ESP_OK;
}

static esp_err_t read_value(nvs_storage_t *storage, const nvs_place_t *place, void *out)
{
    return item_at(place)->type == NVS_ITEM_BLOB_INDEX
               ? nvs_blob_read(storage, place, out)
               : nvs_page_read_body(place->page, place->index, out);
}

esp_err_t nvs_storage_get(nvs_storage_t *storage, uint8_t ns, uint8_t type, const char *key,
                          void *out, size_t size)
{
    nvs_place_t place;
    if (!find_typed(storage, ns, type, key, &place)) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    if (type != NVS_TYPE_STR && type != NVS_TYPE_BLOB) {
        memcpy(out, item_at(&place)->value, size);
        return ESP_OK;
    }
    return read_value(storage, &place, out);
}

/* Writing a value that is there already would only wear the flash out. */
static bool holds_value(nvs_storage_t *storage, const nvs_record_t *record)
{
    nvs_place_t place;
    if (!find_typed(storage, record->ns, record->type, record->key, &place)) {
        return false;
    }
    const nvs_item_t *item = item_at(&place);
    if (record->type != NVS_TYPE_STR && record->type != NVS_TYPE_BLOB) {
        return memcmp(item->value, record->data, record->size) == 0;
    }
    if (item->type == NVS_ITEM_BLOB_V1 || value_size(item) != record->size) {
        return false;
    }
    void *stored = malloc(record->size > 0 ? record->size : 1);
    if (stored == NULL) {
        return false;
    }
    const bool same = read_value(storage, &place, stored) == ESP_OK &&
                      (record->size == 0 || memcmp(stored, record->data, record->size) == 0);
    free(stored);
    return same;
}

static esp_err_t append_item(nvs_storage_t *storage, const nvs_record_t *record,
                             nvs_place_t *place)
{
    place->page = nvs_storage_current(storage);
    esp_err_t err = nvs_page_append(place->page, record, &place->index);
    if (err != ESP_ERR_NVS_PAGE_FULL) {
        return err;
    }
    err = nvs_storage_next_page(storage);
    if (err != ESP_OK) {
        return err;
    }
    place->page = nvs_storage_current(storage);
    err = nvs_page_append(place->page, record, &place->index);
    return err == ESP_ERR_NVS_PAGE_FULL ? ESP_ERR_NVS_NOT_ENOUGH_SPACE : err;
}

/* The range of chunk numbers that the key's present value does not use. */
static uint8_t next_chunk_start(const nvs_storage_t *storage, const nvs_record_t *record)
{
    const nvs_query_t query = {.ns = record->ns,
                               .type = NVS_ITEM_BLOB_INDEX,
                               .chunk = NVS_CHUNK_NONE,
                               .key = record->key};
    nvs_place_t place;
    if (!nvs_storage_find(storage, &query, &place)) {
        return 0;
    }
    return item_at(&place)->blob.chunk_start == 0 ? NVS_CHUNK_VERSION_BIT : 0;
}

/* Erase every value of a key but the one at `keep` (may be NULL), whatever its type. Indexes go
 * before their chunks: chunks without an index are found and erased at the next start. */
static esp_err_t erase_values(nvs_storage_t *storage, uint8_t ns, const char *key,
                              const nvs_place_t *keep, bool *found)
{
    const nvs_query_t query = {
        .ns = ns, .type = NVS_ITEM_ANY, .chunk = NVS_CHUNK_NONE, .key = key};
    nvs_place_t place;
    for (bool more = nvs_storage_find(storage, &query, &place); more;
         more = nvs_storage_find_next(storage, &query, &place)) {
        const bool kept = keep != NULL && place.page == keep->page && place.index == keep->index;
        if (kept || !nvs_item_is_value(item_at(&place))) {
            continue;
        }
        *found = true;
        const nvs_item_t old = *item_at(&place);
        esp_err_t err = nvs_page_erase_item(place.page, place.index);
        if (err == ESP_OK && old.type == NVS_ITEM_BLOB_INDEX) {
            err = nvs_blob_erase_chunks(storage, ns, key, old.blob.chunk_start);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

static esp_err_t check_limits(const nvs_storage_t *storage, const nvs_record_t *record)
{
    if (record->type == NVS_TYPE_BLOB) {
        size_t pages = storage->page_count - 1;
        pages = pages < NVS_CHUNK_COUNT_MAX ? pages : NVS_CHUNK_COUNT_MAX;
        if (record->size > pages * NVS_CHUNK_MAX) {
            return ESP_ERR_NVS_VALUE_TOO_LONG;
        }
    }
    if (strlen(record->key) > NVS_KEY_MAX) {
        return ESP_ERR_NVS_KEY_TOO_LONG;
    }
    if (record->type == NVS_TYPE_STR && record->size > NVS_CHUNK_MAX) {
        return ESP_ERR_NVS_VALUE_TOO_LONG;
    }
    return ESP_OK;
}

esp_err_t nvs_storage_set(nvs_storage_t *storage, const nvs_record_t *record)
{
    nvs_record_t item = *record;
    nvs_place_t place;
    item.chunk = NVS_CHUNK_NONE;

    esp_err_t err = check_limits(storage, record);
    if (err != ESP_OK || holds_value(storage, record)) {
        return err;
    }
    if (record->type == NVS_TYPE_BLOB) {
        err = nvs_blob_append(storage, record, next_chunk_start(storage, record), &place);
    } else {
        err = append_item(storage, &item, &place);
    }
    if (err != ESP_OK) {
        return err;
    }
    bool replaced = false;
    err = erase_values(storage, record->ns, record->key, &place, &replaced);
    return err == ESP_OK ? ESP_OK : ESP_ERR_NVS_REMOVE_FAILED;
}

esp_err_t nvs_storage_erase_key(nvs_storage_t *storage, uint8_t ns, const char *key)
{
    bool found = false;
    esp_err_t err = erase_values(storage, ns, key, NULL, &found);
    return err == ESP_OK && !found ? ESP_ERR_NVS_NOT_FOUND : err;
}

esp_err_t nvs_storage_erase_namespace(nvs_storage_t *storage, uint8_t ns)
{
    const nvs_query_t query = {
        .ns = ns, .type = NVS_ITEM_ANY, .chunk = NVS_CHUNK_NONE, .key = NULL};
    nvs_place_t place;
    for (bool more = nvs_storage_find(storage, &query, &place); more;
         more = nvs_storage_find_next(storage, &query, &place)) {
        esp_err_t err = nvs_page_erase_item(place.page, place.index);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

esp_err_t nvs_storage_namespace(nvs_storage_t *storage, const char *name, bool create, uint8_t *ns)
{
    nvs_query_t query = {.ns = NVS_NAMESPACE_INDEX,
                         .type = NVS_TYPE_U8,
                         .chunk = NVS_CHUNK_NONE,
                         .key = name};
    nvs_place_t place;
    if (nvs_storage_find(storage, &query, &place)) {
        *ns = item_at(&place)->value[0];
        return ESP_OK;
    }
    if (!create) {
        return ESP_ERR_NVS_NOT_FOUND;
    }

    bool taken[NVS_NAMESPACE_ANY + 1] = {[NVS_NAMESPACE_INDEX] = true};
    query.key = NULL;
    for (bool more = nvs_storage_find(storage, &query, &place); more;
         more = nvs_storage_find_next(storage, &query, &place)) {
        taken[item_at(&place)->value[0]] = true;
    }
    uint8_t fresh = 1;
    while (fresh < NVS_NAMESPACE_ANY && taken[fresh]) {
        ++fresh;
    }
    if (fresh == NVS_NAMESPACE_ANY) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    const nvs_record_t record = {.ns = NVS_NAMESPACE_INDEX,
                                 .type = NVS_TYPE_U8,
                                 .key = name,
                                 .data = &fresh,
                                 .size = sizeof(fresh)};
    esp_err_t err = nvs_storage_set(storage, &record);
    if (err == ESP_OK) {
        *ns = fresh;
    }
    return err;
}

void nvs_storage_stats(const nvs_storage_t *storage, nvs_stats_t *stats)
{
    const nvs_query_t namespaces = {.ns = NVS_NAMESPACE_INDEX,
                                    .type = NVS_TYPE_U8,
                                    .chunk = NVS_CHUNK_NONE,
                                    .key = NULL};
    nvs_place_t place;
    memset(stats, 0, sizeof(*stats));
    stats->total_entries = storage->page_count * NVS_ENTRY_COUNT;
    for (size_t i = 0; i < storage->used_count; ++i) {
        stats->used_entries += storage->used[i]->used;
    }
    stats->free_entries = stats->total_entries - stats->used_entries;
    stats->available_entries =
        stats->free_entries > NVS_ENTRY_COUNT ? stats->free_entries - NVS_ENTRY_COUNT : 0;
    for (bool more = nvs_storage_find(storage, &namespaces, &place); more;
         more = nvs_storage_find_next(storage, &namespaces, &place)) {
        stats->namespace_count += 1;
    }
}

size_t nvs_storage_entries_of(const nvs_storage_t *storage, uint8_t ns)
{
    const nvs_query_t query = {
        .ns = ns, .type = NVS_ITEM_ANY, .chunk = NVS_CHUNK_NONE, .key = NULL};
    nvs_place_t place;
    size_t entries = 0;
    for (bool more = nvs_storage_find(storage, &query, &place); more;
         more = nvs_storage_find_next(storage, &query, &place)) {
        entries += item_at(&place)->span;
    }
    return entries;
}
