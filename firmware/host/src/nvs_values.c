#include "nvs_values.h"

#include <stdlib.h>
#include <string.h>

#include "nvs_blob.h"
#include "nvs_recover.h"

esp_err_t nvs_values_open(nvs_log_t *log, uint32_t offset, uint32_t size)
{
    esp_err_t err = nvs_log_load(log, offset, size);
    if (err == ESP_OK) {
        err = nvs_recover(log);
    }
    if (err != ESP_OK) {
        nvs_log_close(log);
    }
    return err;
}

/* Types whose values have any length: the others are integers. */
static bool is_variable(uint8_t type)
{
    return type == NVS_TYPE_STR || type == NVS_TYPE_BLOB;
}

/* The place of a key's value of one type; a blob may be stored in either format. */
static bool find_typed(const nvs_log_t *log, uint8_t ns, uint8_t type, const char *key,
                       nvs_place_t *place)
{
    nvs_query_t query = {.ns = ns, .type = type, .key = key};
    if (type != NVS_TYPE_BLOB) {
        return nvs_log_find(log, &query, place);
    }
    query.type = NVS_ITEM_BLOB_INDEX;
    if (nvs_log_find(log, &query, place)) {
        return true;
    }
    query.type = NVS_ITEM_BLOB_V1;
    return nvs_log_find(log, &query, place);
}

static size_t value_size(const nvs_item_t *item)
{
    return item->type == NVS_ITEM_BLOB_INDEX ? item->blob.size : item->body.size;
}

esp_err_t nvs_value_size(const nvs_log_t *log, uint8_t ns, uint8_t type, const char *key,
                         size_t *size)
{
    nvs_place_t place;
    if (!find_typed(log, ns, type, key, &place)) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    *size = value_size(nvs_item_at(&place));
    return ESP_OK;
}

static esp_err_t read_variable(const nvs_log_t *log, const nvs_place_t *place, void *out)
{
    return nvs_item_at(place)->type == NVS_ITEM_BLOB_INDEX
               ? nvs_blob_read(log, place, out)
               : nvs_page_read_body(place->page, place->index, out);
}

esp_err_t nvs_value_get(const nvs_log_t *log, uint8_t ns, uint8_t type, const char *key, void *out,
                        size_t size)
{
    nvs_place_t place;
    if (!find_typed(log, ns, type, key, &place)) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    if (is_variable(type)) {
        return read_variable(log, &place, out);
    }
    memcpy(out, nvs_item_at(&place)->value, size);
    return ESP_OK;
}

/* Writing a value that is there already would only wear the flash out. */
static bool holds_value(const nvs_log_t *log, const nvs_record_t *record)
{
    nvs_place_t place;
    if (!find_typed(log, record->ns, record->type, record->key, &place)) {
        return false;
    }
    const nvs_item_t *item = nvs_item_at(&place);
    if (!is_variable(record->type)) {
        return memcmp(item->value, record->data, record->size) == 0;
    }
    if (item->type == NVS_ITEM_BLOB_V1 || value_size(item) != record->size) {
        return false;
    }
    void *stored = malloc(record->size > 0 ? record->size : 1);
    if (stored == NULL) {
        return false;
    }
    const bool same = read_variable(log, &place, stored) == ESP_OK &&
                      (record->size == 0 || memcmp(stored, record->data, record->size) == 0);
    free(stored);
    return same;
}

/* Erase every value of a key but the one at `keep` (may be NULL), whatever its type. */
static esp_err_t erase_values(const nvs_log_t *log, uint8_t ns, const char *key,
                              const nvs_place_t *keep, bool *found)
{
    const nvs_query_t query = {.ns = ns, .type = NVS_ITEM_ANY, .key = key};
    nvs_place_t place = {0};
    esp_err_t err = ESP_OK;
    while (err == ESP_OK && nvs_log_next(log, &query, &place)) {
        const bool kept = keep != NULL && place.page == keep->page && place.index == keep->index;
        if (kept || !nvs_item_is_value(nvs_item_at(&place))) {
            continue;
        }
        *found = true;
        err = nvs_item_at(&place)->type == NVS_ITEM_BLOB_INDEX ? nvs_blob_erase(log, &place)
                                                               : nvs_log_erase(&place);
    }
    return err;
}

static esp_err_t check_limits(const nvs_log_t *log, const nvs_record_t *record)
{
    if (record->type == NVS_TYPE_BLOB) {
        size_t pages = log->page_count - 1;
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

esp_err_t nvs_value_set(nvs_log_t *log, const nvs_record_t *record)
{
    esp_err_t err = check_limits(log, record);
    if (err != ESP_OK || holds_value(log, record)) {
        return err;
    }
    nvs_record_t item = *record;
    nvs_place_t place;
    item.chunk = NVS_CHUNK_NONE;
    err = record->type == NVS_TYPE_BLOB ? nvs_blob_append(log, &item, &place)
                                        : nvs_log_append(log, &item, &place);
    if (err != ESP_OK) {
        return err;
    }
    bool replaced = false;
    err = erase_values(log, record->ns, record->key, &place, &replaced);
    return err == ESP_OK ? ESP_OK : ESP_ERR_NVS_REMOVE_FAILED;
}

esp_err_t nvs_value_erase(const nvs_log_t *log, uint8_t ns, const char *key)
{
    bool found = false;
    esp_err_t err = erase_values(log, ns, key, NULL, &found);
    return err == ESP_OK && !found ? ESP_ERR_NVS_NOT_FOUND : err;
}

static esp_err_t create_namespace(nvs_log_t *log, const char *name, uint8_t *ns)
{
    const nvs_query_t query = {.ns = NVS_NAMESPACE_INDEX, .type = NVS_TYPE_U8};
    bool taken[NVS_NAMESPACE_ANY + 1] = {[NVS_NAMESPACE_INDEX] = true};
    nvs_place_t place = {0};
    while (nvs_log_next(log, &query, &place)) {
        taken[nvs_item_at(&place)->value[0]] = true;
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
    esp_err_t err = nvs_value_set(log, &record);
    if (err == ESP_OK) {
        *ns = fresh;
    }
    return err;
}

esp_err_t nvs_namespace_find(nvs_log_t *log, const char *name, bool create, uint8_t *ns)
{
    const nvs_query_t query = {.ns = NVS_NAMESPACE_INDEX, .type = NVS_TYPE_U8, .key = name};
    nvs_place_t place;
    if (nvs_log_find(log, &query, &place)) {
        *ns = nvs_item_at(&place)->value[0];
        return ESP_OK;
    }
    return create ? create_namespace(log, name, ns) : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_namespace_erase(const nvs_log_t *log, uint8_t ns)
{
    const nvs_query_t query = {.ns = ns, .type = NVS_ITEM_ANY};
    nvs_place_t place = {0};
    esp_err_t err = ESP_OK;
    while (err == ESP_OK && nvs_log_next(log, &query, &place)) {
        err = nvs_log_erase(&place);
    }
    return err;
}

size_t nvs_namespace_entries(const nvs_log_t *log, uint8_t ns)
{
    const nvs_query_t query = {.ns = ns, .type = NVS_ITEM_ANY};
    nvs_place_t place = {0};
    size_t entries = 0;
    while (nvs_log_next(log, &query, &place)) {
        entries += nvs_item_at(&place)->span;
    }
    return entries;
}
