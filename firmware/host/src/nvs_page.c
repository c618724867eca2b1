#include "nvs_page.h"

#include <string.h>

#include "flash_file.h"

/* The order of the flash operations below is ESP-IDF's: header entry, its state bits, data, its
 * state bits from the last word to the first. Recovery relies on it, here and on the chip. */

#define STATES_PER_WORD 16u
#define ERASED_WORD 0xFFFFFFFFu

static uint32_t entry_address(const nvs_page_t *page, size_t index)
{
    return page->address + NVS_DATA_OFFSET + (uint32_t)index * NVS_ENTRY_SIZE;
}

static nvs_entry_state_t entry_state(const nvs_page_t *page, size_t index)
{
    return (nvs_entry_state_t)((page->table[index / 4] >> (index % 4 * 2)) & 3u);
}

/* The mirror follows the entry; `used` counts entries in state WRITTEN. */
static void mirror_state(nvs_page_t *page, size_t index, nvs_entry_state_t state)
{
    if (entry_state(page, index) == NVS_ENTRY_WRITTEN) {
        page->used -= 1;
    }
    if (state == NVS_ENTRY_WRITTEN) {
        page->used += 1;
    } else {
        page->is_head[index] = false;
    }
    const unsigned shift = (unsigned)(index % 4 * 2);
    page->table[index / 4] =
        (uint8_t)((page->table[index / 4] & ~(3u << shift)) | ((unsigned)state << shift));
}

/* A failed flash operation leaves the page in an unknown state: nothing may be added to it. */
static esp_err_t checked(nvs_page_t *page, esp_err_t err)
{
    if (err != ESP_OK) {
        page->state = NVS_PAGE_INVALID;
    }
    return err;
}

/* Set the states of `count` entries, one word of the table at a time, the last word first. */
static esp_err_t set_states(nvs_page_t *page, size_t begin, size_t count, nvs_entry_state_t state)
{
    size_t end = begin + count;
    while (end > begin) {
        const size_t word = (end - 1) / STATES_PER_WORD;
        const size_t word_begin = word * STATES_PER_WORD;
        const size_t from = word_begin > begin ? word_begin : begin;
        for (size_t i = from; i < end; ++i) {
            mirror_state(page, i, state);
        }
        const uint32_t offset = NVS_TABLE_OFFSET + (uint32_t)word * 4;
        esp_err_t err = checked(
            page, flash_file_program(page->address + offset, &page->table[word * 4], 4));
        if (err != ESP_OK) {
            return err;
        }
        end = from;
    }
    return ESP_OK;
}

bool nvs_page_in_use(const nvs_page_t *page)
{
    return page->state == NVS_PAGE_ACTIVE || page->state == NVS_PAGE_FULL ||
           page->state == NVS_PAGE_FREEING;
}

static void forget_items(nvs_page_t *page)
{
    page->next_free = 0;
    page->used = 0;
    memset(page->table, 0xFF, sizeof(page->table));
    memset(page->is_head, 0, sizeof(page->is_head));
}

static bool all_ones(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; ++i) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

/* Programming stops anywhere when the power fails: an entry may hold data although its state
 * still says EMPTY. Such entries can never be programmed again, so they are given up. */
static esp_err_t skip_half_written(nvs_page_t *page)
{
    while (page->next_free < NVS_ENTRY_COUNT &&
           entry_state(page, page->next_free) != NVS_ENTRY_EMPTY) {
        page->next_free += 1;
    }
    while (page->next_free < NVS_ENTRY_COUNT) {
        if (all_ones(&page->items[page->next_free], NVS_ENTRY_SIZE)) {
            return ESP_OK;
        }
        esp_err_t err = set_states(page, page->next_free, 1, NVS_ENTRY_ERASED);
        if (err != ESP_OK) {
            return err;
        }
        page->next_free += 1;
    }
    return ESP_OK;
}

static bool span_is_written(const nvs_page_t *page, size_t index)
{
    for (size_t i = index; i < index + page->items[index].span; ++i) {
        if (entry_state(page, i) != NVS_ENTRY_WRITTEN) {
            return false;
        }
    }
    return true;
}

/* Find the live items; erase what is not one. `*next` receives the entry to go on with. */
static esp_err_t examine_entry(nvs_page_t *page, size_t index, size_t *next)
{
    const nvs_entry_state_t state = entry_state(page, index);
    const nvs_item_t *item = &page->items[index];
    size_t span = 1;

    *next = index + 1;
    if (state == NVS_ENTRY_ERASED) {
        return ESP_OK;
    }
    if (state == NVS_ENTRY_WRITTEN && nvs_item_is_valid(item, index)) {
        span = item->span;
        *next = index + span;
        if (span_is_written(page, index)) {
            page->is_head[index] = true;
            return ESP_OK;
        }
    }
    esp_err_t err = set_states(page, index, span, NVS_ENTRY_ERASED);
    if (index + span > page->next_free) {
        page->next_free = index + span;
    }
    return err;
}

static esp_err_t load_entries(nvs_page_t *page)
{
    forget_items(page);
    esp_err_t err = flash_file_read(page->address + NVS_TABLE_OFFSET, page->table, NVS_TABLE_SIZE);
    if (err == ESP_OK) {
        err = flash_file_read(page->address + NVS_DATA_OFFSET, page->items, sizeof(page->items));
    }
    if (err != ESP_OK) {
        return checked(page, err);
    }
    for (size_t i = 0; i < NVS_ENTRY_COUNT; ++i) {
        page->used += entry_state(page, i) == NVS_ENTRY_WRITTEN ? 1 : 0;
    }
    if (page->state == NVS_PAGE_ACTIVE) {
        err = skip_half_written(page);
    } else {
        page->next_free = NVS_ENTRY_COUNT;
    }
    for (size_t i = 0, next = 0; i < page->next_free && err == ESP_OK; i = next) {
        /* The unused rest of a page that was declared full stays EMPTY: nothing to repair. */
        if (page->state != NVS_PAGE_ACTIVE && entry_state(page, i) == NVS_ENTRY_EMPTY) {
            next = i + 1;
            continue;
        }
        err = examine_entry(page, i, &next);
    }
    return err;
}

esp_err_t nvs_page_load(nvs_page_t *page, uint32_t address)
{
    nvs_page_header_t header;
    memset(page, 0, sizeof(*page));
    page->address = address;
    forget_items(page);

    esp_err_t err = flash_file_read(address, &header, sizeof(header));
    if (err != ESP_OK) {
        return checked(page, err);
    }
    if (header.state == NVS_PAGE_BLANK) {
        /* An interrupted erase may have cleared the header only. */
        uint8_t rest[NVS_TABLE_SIZE];
        err = flash_file_read(address + NVS_TABLE_OFFSET, rest, sizeof(rest));
        if (err == ESP_OK) {
            err = flash_file_read(address + NVS_DATA_OFFSET, page->items, sizeof(page->items));
        }
        const bool blank = all_ones(&header, sizeof(header)) && all_ones(rest, sizeof(rest)) &&
                           all_ones(page->items, sizeof(page->items));
        page->state = blank ? NVS_PAGE_BLANK : NVS_PAGE_CORRUPT;
        return checked(page, err);
    }

    page->state = header.state;
    page->sequence = header.sequence;
    if (header.crc32 != nvs_page_header_crc(&header) || !nvs_page_in_use(page)) {
        page->state = NVS_PAGE_CORRUPT;
        return ESP_OK;
    }
    if (header.version < NVS_FORMAT_VERSION) {
        return ESP_ERR_NVS_NEW_VERSION_FOUND;
    }
    return load_entries(page);
}

static bool matches(const nvs_item_t *item, const nvs_query_t *query)
{
    if (query->ns != NVS_NAMESPACE_ANY && item->ns != query->ns) {
        return false;
    }
    if (query->type != NVS_ITEM_ANY && item->type != query->type) {
        return false;
    }
    if (query->type == NVS_ITEM_BLOB_DATA && query->chunk != NVS_CHUNK_NONE &&
        item->chunk != query->chunk) {
        return false;
    }
    return query->key == NULL || nvs_item_has_key(item, query->key);
}

size_t nvs_page_find(const nvs_page_t *page, const nvs_query_t *query, size_t from)
{
    if (!nvs_page_in_use(page)) {
        return NVS_ENTRY_COUNT;
    }
    for (size_t i = from; i < NVS_ENTRY_COUNT; ++i) {
        if (page->is_head[i] && matches(&page->items[i], query)) {
            return i;
        }
    }
    return NVS_ENTRY_COUNT;
}

static esp_err_t write_header(nvs_page_t *page)
{
    nvs_page_header_t header;
    memset(&header, 0xFF, sizeof(header));
    header.state = NVS_PAGE_ACTIVE;
    header.sequence = page->sequence;
    header.version = NVS_FORMAT_VERSION;
    header.crc32 = nvs_page_header_crc(&header);
    forget_items(page);
    page->state = NVS_PAGE_ACTIVE;
    return checked(page, flash_file_program(page->address, &header, sizeof(header)));
}

/* Program `count` whole entries at the end of the log and mark them as written. */
static esp_err_t append_entries(nvs_page_t *page, const void *data, size_t count)
{
    esp_err_t err = checked(page, flash_file_program(entry_address(page, page->next_free), data,
                                                     count * NVS_ENTRY_SIZE));
    if (err == ESP_OK) {
        err = set_states(page, page->next_free, count, NVS_ENTRY_WRITTEN);
        page->next_free += count;
    }
    return err;
}

static esp_err_t append_body(nvs_page_t *page, const uint8_t *data, size_t size)
{
    const size_t whole = size / NVS_ENTRY_SIZE;
    const size_t rest = size % NVS_ENTRY_SIZE;
    esp_err_t err = ESP_OK;
    if (whole > 0) {
        err = append_entries(page, data, whole);
    }
    if (rest > 0 && err == ESP_OK) {
        uint8_t last[NVS_ENTRY_SIZE];
        memset(last, 0xFF, sizeof(last));
        memcpy(last, data + whole * NVS_ENTRY_SIZE, rest);
        err = append_entries(page, last, 1);
    }
    return err;
}

static nvs_item_t make_item(const nvs_record_t *record)
{
    nvs_item_t item;
    memset(&item, 0xFF, sizeof(item));
    item.ns = record->ns;
    item.type = record->type;
    item.chunk = record->chunk;
    item.span = 1;
    memset(item.key, 0, sizeof(item.key));
    memcpy(item.key, record->key, strnlen(record->key, NVS_KEY_MAX));
    if (nvs_type_has_body(record->type)) {
        item.span = (uint8_t)(1 + nvs_body_entries(record->size));
        item.body.size = (uint16_t)record->size;
        item.body.crc32 = nvs_crc32(NVS_CRC_SEED, record->data, record->size);
    } else {
        memcpy(item.value, record->data, record->size);
    }
    item.crc32 = nvs_item_crc(&item);
    return item;
}

esp_err_t nvs_page_append(nvs_page_t *page, const nvs_record_t *record, size_t *out_index)
{
    const bool has_body = nvs_type_has_body(record->type);
    const size_t count = 1 + (has_body ? nvs_body_entries(record->size) : 0);
    esp_err_t err = ESP_OK;

    if (page->state == NVS_PAGE_BLANK) {
        err = write_header(page);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (page->state == NVS_PAGE_FULL || page->next_free + count > NVS_ENTRY_COUNT) {
        return ESP_ERR_NVS_PAGE_FULL;
    }
    if (page->state != NVS_PAGE_ACTIVE) {
        return ESP_ERR_NVS_INVALID_STATE;
    }

    const size_t index = page->next_free;
    page->items[index] = make_item(record);
    err = append_entries(page, &page->items[index], 1);
    if (err == ESP_OK && has_body && record->size > 0) {
        err = append_body(page, record->data, record->size);
    }
    if (err == ESP_OK) {
        page->is_head[index] = true;
        if (out_index != NULL) {
            *out_index = index;
        }
    }
    return err;
}

esp_err_t nvs_page_read_body(nvs_page_t *page, size_t index, void *out)
{
    const nvs_item_t *item = &page->items[index];
    esp_err_t err = flash_file_read(entry_address(page, index + 1), out, item->body.size);
    if (err == ESP_OK && nvs_crc32(NVS_CRC_SEED, out, item->body.size) != item->body.crc32) {
        err = nvs_page_erase_item(page, index);
        return err == ESP_OK ? ESP_ERR_NVS_NOT_FOUND : err;
    }
    return err;
}

esp_err_t nvs_page_erase_item(nvs_page_t *page, size_t index)
{
    return set_states(page, index, page->items[index].span, NVS_ENTRY_ERASED);
}

esp_err_t nvs_page_set_state(nvs_page_t *page, uint32_t state)
{
    esp_err_t err = checked(page, flash_file_program(page->address, &state, sizeof(state)));
    if (err == ESP_OK) {
        page->state = state;
    }
    return err;
}

/* Headers are copied as they are: a body that is damaged must still fail its CRC afterwards. */
static esp_err_t copy_item(const nvs_page_t *from, size_t index, nvs_page_t *to)
{
    uint8_t body[NVS_CHUNK_MAX];
    const size_t target = to->next_free;
    const size_t body_entries = from->items[index].span - 1u;

    to->items[target] = from->items[index];
    esp_err_t err = append_entries(to, &to->items[target], 1);
    if (err == ESP_OK && body_entries > 0) {
        err = flash_file_read(entry_address(from, index + 1), body, body_entries * NVS_ENTRY_SIZE);
        if (err == ESP_OK) {
            err = append_entries(to, body, body_entries);
        }
    }
    to->is_head[target] = err == ESP_OK;
    return err;
}

esp_err_t nvs_page_copy_items(const nvs_page_t *from, nvs_page_t *to)
{
    const nvs_query_t everything = {NVS_NAMESPACE_ANY, NVS_ITEM_ANY, NVS_CHUNK_NONE, NULL};

    for (size_t i = nvs_page_find(from, &everything, 0); i < NVS_ENTRY_COUNT;
         i = nvs_page_find(from, &everything, i + 1)) {
        esp_err_t err = to->state == NVS_PAGE_BLANK ? write_header(to) : ESP_OK;
        if (err == ESP_OK) {
            err = copy_item(from, i, to);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

esp_err_t nvs_page_erase(nvs_page_t *page)
{
    esp_err_t err = checked(page, flash_file_erase_sector(page->address));
    if (err == ESP_OK) {
        forget_items(page);
        page->state = NVS_PAGE_BLANK;
    }
    return err;
}

size_t nvs_page_tailroom(const nvs_page_t *page)
{
    if (page->state == NVS_PAGE_BLANK) {
        return NVS_CHUNK_MAX;
    }
    if (page->state != NVS_PAGE_ACTIVE || page->next_free + 1 >= NVS_ENTRY_COUNT) {
        return 0;
    }
    return (NVS_ENTRY_COUNT - page->next_free - 1) * NVS_ENTRY_SIZE;
}
