#include "nvs_storage.h"

/* A blob is cut into chunks, each filling what is left of a page; the index that makes them a
 * value is written last. */

/* Below this much room a new page is better than a short first chunk (as in ESP-IDF). */
#define MIN_FIRST_CHUNK (NVS_CHUNK_MAX / 10)

/* Make room for the first chunk: all of a blob, or a part of it that is worth a chunk. */
static esp_err_t make_room(nvs_storage_t *storage, size_t size)
{
    size_t room = nvs_page_tailroom(nvs_storage_current(storage));
    while ((room < size || (room == 0 && size == 0)) && room < MIN_FIRST_CHUNK) {
        esp_err_t err = nvs_storage_next_page(storage);
        if (err != ESP_OK) {
            return err;
        }
        const size_t gained = nvs_page_tailroom(nvs_storage_current(storage));
        if (gained == room) {
            return ESP_ERR_NVS_NOT_ENOUGH_SPACE; /* moving pages around gains nothing */
        }
        room = gained;
    }
    return ESP_OK;
}

/* `*written` counts chunks in flash, complete or not, also on failure. */
static esp_err_t append_chunks(nvs_storage_t *storage, const nvs_record_t *record,
                               uint8_t chunk_start, uint8_t *written)
{
    size_t left = record->size;
    nvs_record_t chunk = *record;
    chunk.type = NVS_ITEM_BLOB_DATA;

    do {
        nvs_page_t *page = nvs_storage_current(storage);
        const size_t room = nvs_page_tailroom(page);
        if (room == 0 || *written == NVS_CHUNK_COUNT_MAX) {
            return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
        }
        chunk.size = left < room ? left : room;
        chunk.chunk = (uint8_t)(chunk_start + *written);
        *written += 1;
        esp_err_t err = nvs_page_append(page, &chunk, NULL);
        if (err != ESP_OK) {
            return err;
        }
        left -= chunk.size;
        if (left > 0) { /* an empty blob may come without data */
            chunk.data = (const uint8_t *)chunk.data + chunk.size;
        }
        /* More chunks need another page, and so does the index if this one is full. */
        if (left > 0 || room - chunk.size < NVS_ENTRY_SIZE) {
            err = nvs_storage_next_page(storage);
        }
        if (err != ESP_OK) {
            return err;
        }
    } while (left > 0);
    return ESP_OK;
}

static esp_err_t append_index(nvs_storage_t *storage, const nvs_record_t *record,
                              uint8_t chunk_start, uint8_t chunk_count, nvs_place_t *place)
{
    nvs_item_t index;
    index.blob.size = (uint32_t)record->size;
    index.blob.chunk_count = chunk_count;
    index.blob.chunk_start = chunk_start;
    index.blob.reserved = UINT16_MAX;

    nvs_record_t item = *record;
    item.type = NVS_ITEM_BLOB_INDEX;
    item.chunk = NVS_CHUNK_NONE;
    item.data = index.value;
    item.size = sizeof(index.value);
    place->page = nvs_storage_current(storage);
    return nvs_page_append(place->page, &item, &place->index);
}

esp_err_t nvs_blob_append(nvs_storage_t *storage, const nvs_record_t *record, uint8_t chunk_start,
                          nvs_place_t *index_place)
{
    uint8_t count = 0;
    esp_err_t err = make_room(storage, record->size);
    if (err == ESP_OK) {
        err = append_chunks(storage, record, chunk_start, &count);
    }
    if (err == ESP_OK) {
        err = append_index(storage, record, chunk_start, count, index_place);
    }
    if (err != ESP_OK && count > 0) {
        /* The old value stays in force; what was written of the new one only takes space. Should
         * this fail as well, the next start erases it. */
        (void)nvs_blob_erase_chunks(storage, record->ns, record->key, chunk_start);
    }
    return err == ESP_ERR_NVS_PAGE_FULL ? ESP_ERR_NVS_NOT_ENOUGH_SPACE : err;
}

esp_err_t nvs_blob_read(nvs_storage_t *storage, const nvs_place_t *index_place, void *out)
{
    const nvs_item_t index = index_place->page->items[index_place->index];
    nvs_query_t query = {.ns = index.ns, .type = NVS_ITEM_BLOB_DATA, .key = index.key};
    size_t offset = 0;
    esp_err_t err = ESP_OK;

    for (uint8_t i = 0; i < index.blob.chunk_count && err == ESP_OK; ++i) {
        nvs_place_t place;
        query.chunk = (uint8_t)(index.blob.chunk_start + i);
        if (!nvs_storage_find(storage, &query, &place)) {
            err = ESP_ERR_NVS_NOT_FOUND;
            break;
        }
        const size_t size = place.page->items[place.index].body.size;
        if (size > index.blob.size - offset) {
            err = ESP_ERR_NVS_NOT_FOUND;
            break;
        }
        err = nvs_page_read_body(place.page, place.index, (uint8_t *)out + offset);
        offset += size;
    }
    if (err == ESP_OK && offset != index.blob.size) {
        err = ESP_ERR_NVS_NOT_FOUND;
    }
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        esp_err_t erased = nvs_page_erase_item(index_place->page, index_place->index);
        if (erased == ESP_OK) {
            erased = nvs_blob_erase_chunks(storage, index.ns, index.key, index.blob.chunk_start);
        }
        err = erased == ESP_OK ? err : erased;
    }
    return err;
}

esp_err_t nvs_blob_erase_chunks(nvs_storage_t *storage, uint8_t ns, const char *key,
                                uint8_t chunk_start)
{
    const nvs_query_t query = {
        .ns = ns, .type = NVS_ITEM_BLOB_DATA, .chunk = NVS_CHUNK_NONE, .key = key};
    nvs_place_t place;
    for (bool more = nvs_storage_find(storage, &query, &place); more;
         more = nvs_storage_find_next(storage, &query, &place)) {
        const uint8_t chunk = place.page->items[place.index].chunk;
        if ((chunk & NVS_CHUNK_VERSION_BIT) != (chunk_start & NVS_CHUNK_VERSION_BIT)) {
            continue;
        }
        esp_err_t err = nvs_page_erase_item(place.page, place.index);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}
