#include "nvs_api.h"

#include <stdlib.h>
#include <string.h>

struct nvs_opaque_iterator_t {
    uint8_t ns; /* or NVS_NAMESPACE_ANY */
    nvs_type_t type;
    nvs_place_t place;
    nvs_entry_info_t info;
};

/* One entry for each key: of a blob, the index and not its chunks. */
static bool is_shown(const nvs_item_t *item, nvs_type_t wanted)
{
    if (item->ns == NVS_NAMESPACE_INDEX || !nvs_item_is_value(item)) {
        return false;
    }
    return wanted == NVS_TYPE_ANY || wanted == nvs_item_api_type(item);
}

static void fill_info(const nvs_log_t *log, const nvs_item_t *item, nvs_entry_info_t *info)
{
    const nvs_query_t names = {.ns = NVS_NAMESPACE_INDEX, .type = NVS_TYPE_U8};
    nvs_place_t place = {0};
    memset(info, 0, sizeof(*info));
    memcpy(info->key, item->key, NVS_KEY_MAX);
    info->type = nvs_item_api_type(item);
    while (nvs_log_next(log, &names, &place)) {
        const nvs_item_t *name = nvs_item_at(&place);
        if (name->value[0] == item->ns) {
            memcpy(info->namespace_name, name->key, NVS_KEY_MAX);
            return;
        }
    }
}

/* Go on to the next key that the iterator shows. */
static bool advance(const nvs_log_t *log, nvs_iterator_t it)
{
    const nvs_query_t query = {.ns = it->ns, .type = NVS_ITEM_ANY};
    while (nvs_log_next(log, &query, &it->place)) {
        const nvs_item_t *item = nvs_item_at(&it->place);
        if (is_shown(item, it->type)) {
            fill_info(log, item, &it->info);
            return true;
        }
    }
    return false;
}

static esp_err_t find_first(nvs_log_t *log, const char *namespace_name, nvs_iterator_t it)
{
    it->ns = NVS_NAMESPACE_ANY;
    if (namespace_name != NULL &&
        nvs_namespace_find(log, namespace_name, false, &it->ns) != ESP_OK) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    return advance(log, it) ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name, nvs_type_t type,
                         nvs_iterator_t *output_iterator)
{
    if (part_name == NULL || output_iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *output_iterator = NULL;
    nvs_iterator_t it = calloc(1, sizeof(*it));
    if (it == NULL) {
        return ESP_ERR_NO_MEM;
    }
    it->type = type;

    nvs_log_t *log = nvs_lock_log();
    esp_err_t err = ESP_ERR_NVS_NOT_FOUND;
    if (log != NULL && strcmp(part_name, NVS_DEFAULT_PART_NAME) == 0) {
        err = find_first(log, namespace_name, it);
    }
    nvs_unlock();

    if (err == ESP_OK) {
        *output_iterator = it;
    } else {
        free(it);
    }
    return err;
}

esp_err_t nvs_entry_next(nvs_iterator_t *iterator)
{
    if (iterator == NULL || *iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    nvs_iterator_t it = *iterator;
    /* A page that has left the log since the last call ends the iteration. */
    const nvs_log_t *log = nvs_lock_log();
    const bool found = log != NULL && advance(log, it);
    nvs_unlock();

    if (!found) {
        free(it);
        *iterator = NULL;
        return ESP_ERR_NVS_NOT_FOUND;
    }
    return ESP_OK;
}

esp_err_t nvs_entry_info(const nvs_iterator_t iterator, nvs_entry_info_t *out_info)
{
    if (iterator == NULL || out_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_info = iterator->info;
    return ESP_OK;
}

void nvs_release_iterator(nvs_iterator_t iterator)
{
    free(iterator);
}
