#include "nvs_log.h"

#include <stdlib.h>
#include <string.h>

nvs_page_t *nvs_log_current(const nvs_log_t *log)
{
    return log->used[log->used_count - 1];
}

const nvs_item_t *nvs_item_at(const nvs_place_t *place)
{
    return &place->page->items[place->index];
}

bool nvs_log_next(const nvs_log_t *log, const nvs_query_t *query, nvs_place_t *place)
{
    size_t position = 0;
    size_t from = 0;
    if (place->page != NULL) {
        while (position < log->used_count && log->used[position] != place->page) {
            ++position;
        }
        from = place->index + 1;
    }
    for (; position < log->used_count; ++position, from = 0) {
        const size_t index = nvs_page_find(log->used[position], query, from);
        if (index < NVS_ENTRY_COUNT) {
            *place = (nvs_place_t){log->used[position], index};
            return true;
        }
    }
    return false;
}

bool nvs_log_find(const nvs_log_t *log, const nvs_query_t *query, nvs_place_t *place)
{
    *place = (nvs_place_t){0};
    return nvs_log_next(log, query, place);
}

esp_err_t nvs_log_erase(const nvs_place_t *place)
{
    return nvs_page_erase_item(place->page, place->index);
}

static void remove_at(nvs_page_t **list, size_t *count, size_t position)
{
    memmove(&list[position], &list[position + 1], (*count - position - 1) * sizeof(list[0]));
    *count -= 1;
}

esp_err_t nvs_log_activate_page(nvs_log_t *log)
{
    if (log->spare_count == 0) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    nvs_page_t *page = log->spare[0];
    esp_err_t err = page->state == NVS_PAGE_BLANK ? ESP_OK : nvs_page_erase(page);
    if (err == ESP_OK) {
        remove_at(log->spare, &log->spare_count, 0);
        page->sequence = log->next_sequence++;
        log->used[log->used_count++] = page;
    }
    return err;
}

esp_err_t nvs_log_free_page(nvs_log_t *log, size_t position)
{
    nvs_page_t *page = log->used[position];
    esp_err_t err = nvs_page_erase(page);
    if (err == ESP_OK) {
        remove_at(log->used, &log->used_count, position);
        log->spare[log->spare_count++] = page;
    }
    return err;
}

esp_err_t nvs_log_move_page(nvs_log_t *log, size_t position)
{
    const nvs_page_t *moved = log->used[position];
    esp_err_t err = nvs_log_activate_page(log);
    if (err == ESP_OK) {
        err = nvs_page_copy_items(moved, nvs_log_current(log));
    }
    return err == ESP_OK ? nvs_log_free_page(log, position) : err;
}

/* The page whose move gains most: the oldest of those with the fewest live entries. */
static esp_err_t choose_victim(const nvs_log_t *log, size_t *position)
{
    size_t most = 0;
    for (size_t i = 0; i < log->used_count; ++i) {
        const size_t gain = NVS_ENTRY_COUNT - log->used[i]->used;
        if (gain > most) {
            most = gain;
            *position = i;
        }
    }
    return most > 0 ? ESP_OK : ESP_ERR_NVS_NOT_ENOUGH_SPACE;
}

esp_err_t nvs_log_next_page(nvs_log_t *log)
{
    nvs_page_t *current = nvs_log_current(log);
    esp_err_t err = ESP_OK;
    if (current->state == NVS_PAGE_ACTIVE) {
        err = nvs_page_set_state(current, NVS_PAGE_FULL);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (log->spare_count == 0) {
        return ESP_ERR_NVS_INVALID_STATE;
    }
    if (log->spare_count > 1) {
        return nvs_log_activate_page(log);
    }

    size_t position = 0;
    err = choose_victim(log, &position);
    if (err != ESP_OK) {
        return err;
    }
    nvs_page_t *victim = log->used[position];
    if (victim->state != NVS_PAGE_FULL) {
        return ESP_ERR_NVS_INVALID_STATE;
    }
    err = nvs_page_set_state(victim, NVS_PAGE_FREEING);
    return err == ESP_OK ? nvs_log_move_page(log, position) : err;
}

esp_err_t nvs_log_append(nvs_log_t *log, const nvs_record_t *record, nvs_place_t *place)
{
    place->page = nvs_log_current(log);
    esp_err_t err = nvs_page_append(place->page, record, &place->index);
    if (err != ESP_ERR_NVS_PAGE_FULL) {
        return err;
    }
    err = nvs_log_next_page(log);
    if (err != ESP_OK) {
        return err;
    }
    place->page = nvs_log_current(log);
    err = nvs_page_append(place->page, record, &place->index);
    return err == ESP_ERR_NVS_PAGE_FULL ? ESP_ERR_NVS_NOT_ENOUGH_SPACE : err;
}

static void insert_used(nvs_log_t *log, nvs_page_t *page)
{
    size_t position = log->used_count++;
    while (position > 0 && log->used[position - 1]->sequence > page->sequence) {
        log->used[position] = log->used[position - 1];
        --position;
    }
    log->used[position] = page;
}

esp_err_t nvs_log_load(nvs_log_t *log, uint32_t offset, uint32_t size)
{
    memset(log, 0, sizeof(*log));
    log->page_count = size / NVS_PAGE_SIZE;
    log->pages = calloc(log->page_count + 1, sizeof(log->pages[0]));
    log->used = calloc(log->page_count + 1, sizeof(log->used[0]));
    log->spare = calloc(log->page_count + 1, sizeof(log->spare[0]));
    if (log->pages == NULL || log->used == NULL || log->spare == NULL) {
        return ESP_ERR_NO_MEM;
    }
    for (size_t i = 0; i < log->page_count; ++i) {
        nvs_page_t *page = &log->pages[i];
        esp_err_t err = nvs_page_load(page, offset + (uint32_t)i * NVS_PAGE_SIZE);
        if (err != ESP_OK) {
            return err;
        }
        if (nvs_page_in_use(page)) {
            insert_used(log, page);
        } else {
            log->spare[log->spare_count++] = page;
        }
    }
    if (log->used_count > 0) {
        log->next_sequence = nvs_log_current(log)->sequence + 1;
    }
    return ESP_OK;
}

void nvs_log_close(nvs_log_t *log)
{
    free(log->pages);
    free(log->used);
    free(log->spare);
    memset(log, 0, sizeof(*log));
}

void nvs_log_stats(const nvs_log_t *log, nvs_stats_t *stats)
{
    const nvs_query_t namespaces = {.ns = NVS_NAMESPACE_INDEX, .type = NVS_TYPE_U8};
    nvs_place_t place = {0};
    memset(stats, 0, sizeof(*stats));
    stats->total_entries = log->page_count * NVS_ENTRY_COUNT;
    for (size_t i = 0; i < log->used_count; ++i) {
        stats->used_entries += log->used[i]->used;
    }
    stats->free_entries = stats->total_entries - stats->used_entries;
    stats->available_entries =
        stats->free_entries > NVS_ENTRY_COUNT ? stats->free_entries - NVS_ENTRY_COUNT : 0;
    while (nvs_log_next(log, &namespaces, &place)) {
        stats->namespace_count += 1;
    }
}
