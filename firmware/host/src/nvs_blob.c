#include "nvs_blob.h"

/* Below this much room a new page is better than a short first chunk (as in ESP-IDF). */
#define MIN_FIRST_CHUNK (NVS_CHUNK_MAX / 10)

/* Make room for the first chunk: all of a blob, or a part of it that is worth a chunk. */
static esp_err_t make_room(nvs_log_t *log, size_t size)
{
    size_t room = nvs_page_tailroom(nvs_log_current(log));
    while ((room < size || (room == 0 && size == 0)) && room < MIN_FIRST_CHUNK) {
        esp_err_t err = nvs_log_next_page(log);
        if (err != ESP_OK) {
            return err;
        }
        const size_t gained = nvs_page_tailroom(nvs_log_current(log));
        if (gained == room) {
            return ESP_ERR_NVS_NOT_ENOUGH_SPACE; /* moving pages around gains nothing */
        }
        room = gained;
    }
    return ESP_OK;
}

/* `*written` counts chunks in flash, complete or not, also on failure. */
static esp_err_t append_chunks(nvs_log_t *log, const nvs_record_t *record,
                               uint8_t chunk_start, uint8_t *written)
{
    size_t left = record->size;
    nvs_record_t chunk = *record;
    chunk.type = NVS_ITEM_BLOB_DATA;

    do {
        nvs_page_t *page = nvs_log_current(log);
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
            err = nvs_log_next_page(log);
        }
        if (err != ESP_OK) {
            return err;
        }
    } while (left > 0);
    return ESP_OK;
}

static esp_err_t append_index(nvs_log_t *log, const nvs_record_t *record, uint8_t chunk_start,
                              uint8_t chunk_count, nvs_place_t *place)
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
    place->page = nvs_log_current(log);
    return nvs_page_append(place->page, &item, &place->index);
}

/* Erase the chunks of a key that are numbered from `chunk_start` (0 or NVS_CHUNK_VERSION_BIT). */
static esp_err_t erase_chunks(const nvs_log_t *log, uint8_t ns, const char *key,
                              uint8_t chunk_start)
{
    const nvs_query_t query = {ns, NVS_ITEM_BLOB_DATA, NVS_CHUNK_NONE, key};
    nvs_place_t place = {0};
    esp_err_t err = ESP_OK;
    while (err == ESP_OK && nvs_log_next(log, &query, &place)) {
        if (((nvs_item_at(&place)->chunk ^ chunk_start) & NVS_CHUNK_VERSION_BIT) == 0) {
            err = nvs_log_erase(&place);
        }
    }
    return err;
}

/* The range of chunk numbers that the key's present value does not use. */
static uint8_t next_chunk_start(const nvs_log_t *log, const nvs_record_t *record)
{
    const nvs_query_t query = {.ns = record->ns, .type = NVS_ITEM_BLOB_INDEX, .key = record->key};
    nvs_place_t place;
    return nvs_log_find(log, &query, &place) && nvs_item_at(&place)->blob.chunk_start == 0
               ? NVS_CHUNK_VERSION_BIT
               : 0;
}

esp_err_t nvs_blob_append(nvs_log_t *log, const nvs_record_t *record, nvs_place_t *index_place)
{
    const uint8_t chunk_start = next_chunk_start(log, record);
    uint8_t count = 0;
    esp_err_t err = make_room(log, record->size);
    if (err == ESP_OK) {
        err = append_chunks(log, record, chunk_start, &count);
    }
    if (err == ESP_OK) {
        err = append_index(log, record, chunk_start, count, index_place);
    }
    if (err != ESP_OK && count > 0) {
        /* The old value stays in force; what was written of the new one only takes space. Should
         * this fail as well, the next start erases it. */
        (void)erase_chunks(log, record->ns, record->key, chunk_start);
    }
    return err == ESP_ERR_NVS_PAGE_FULL ? ESP_ERR_NVS_NOT_ENOUGH_SPACE : err;
}

esp_err_t nvs_blob_erase(const nvs_log_t *log, const nvs_place_t *index_place)
{
    const nvs_item_t *index = nvs_item_at(index_place);
    esp_err_t err = nvs_log_erase(index_place);
    return err == ESP_OK ? erase_chunks(log, index->ns, index->key, index->blob.chunk_start) : err;
}

/* ESP_ERR_NVS_NOT_FOUND for a chunk that is missing, damaged or not of the size that was said. */
static esp_err_t read_chunks(const nvs_log_t *log, const nvs_item_t *index, uint8_t *out)
{
    nvs_query_t query = {.ns = index->ns, .type = NVS_ITEM_BLOB_DATA, .key = index->key};
    size_t offset = 0;
    for (uint8_t i = 0; i < index->blob.chunk_count; ++i) {
        nvs_place_t place;
        query.chunk = (uint8_t)(index->blob.chunk_start + i);
        if (!nvs_log_find(log, &query, &place)) {
            return ESP_ERR_NVS_NOT_FOUND;
        }
        const size_t size = nvs_item_at(&place)->body.size;
        if (size > index->blob.size - offset) {
            return ESP_ERR_NVS_NOT_FOUND;
        }
        esp_err_t err = nvs_page_read_body(place.page, place.index, out + offset);
        if (err != ESP_OK) {
            return err;
        }
        offset += size;
    }
    return offset == index->blob.size ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_blob_read(const nvs_log_t *log, const nvs_place_t *index_place, void *out)
{
    esp_err_t err = read_chunks(log, nvs_item_at(index_place), out);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        const esp_err_t erased = nvs_blob_erase(log, index_place);
        return erased == ESP_OK ? err : erased;
    }
    return err;
}
