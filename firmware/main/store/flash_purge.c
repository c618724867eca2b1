#include "flash_purge.h"

#include <stdbool.h>
#include <stdint.h>

#include "esp_idf_version.h"
#include "esp_partition.h"

static bool is_filled(const uint8_t *bytes, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)

esp_err_t flash_purge_erased(nvs_handle_t handle)
{
    return nvs_purge_all(handle);
}

#else

/*
 * "Non-Volatile Storage Library", "Internals": a page is a header whose first word is its state, a table of
 * two bits for each entry, and the entries. NOR flash turns ones into zeros without an erase, and NVS never
 * looks at an entry again whose bits say that it is erased. Encryption is by the entry and leaves header and
 * table as they are.
 */
#define PAGE_SIZE 4096
#define TABLE_OFFSET 32
#define ENTRIES_OFFSET 64
#define ENTRY_COUNT 126
#define ENTRY_SIZE 32
#define GROUP 7 /* entries that are looked at at once; divides their count */

#define PAGE_ACTIVE 0xFFFFFFFEu
#define PAGE_FULL 0xFFFFFFFCu
#define PAGE_FREEING 0xFFFFFFF8u

typedef struct {
    uint32_t state;
    uint8_t rest_of_header[TABLE_OFFSET - sizeof(uint32_t)];
    uint8_t table[ENTRIES_OFFSET - TABLE_OFFSET];
} page_head_t;

/** Of a page that is not in use, NVS erases the whole before it writes there, unless it is blank. */
static bool is_left_over(const page_head_t *head, size_t entry)
{
    bool in_use = head->state == PAGE_ACTIVE || head->state == PAGE_FULL || head->state == PAGE_FREEING;
    return !in_use || ((head->table[entry / 4] >> (entry % 4 * 2)) & 3) == 0;
}

/** How many entries from `from` on have to go, without a gap. */
static size_t count_left_over(const page_head_t *head, const uint8_t *entries, size_t first, size_t from)
{
    size_t count = 0;
    while (from + count < GROUP) {
        const uint8_t *entry = entries + (from + count) * ENTRY_SIZE;
        bool is_empty = is_filled(entry, ENTRY_SIZE, 0) || is_filled(entry, ENTRY_SIZE, 0xFF);
        if (is_empty || !is_left_over(head, first + from + count)) {
            break;
        }
        count++;
    }
    return count;
}

static esp_err_t purge_group(const esp_partition_t *partition, size_t page, const page_head_t *head, size_t first)
{
    static const uint8_t ZEROS[GROUP * ENTRY_SIZE];
    uint8_t entries[GROUP * ENTRY_SIZE];
    size_t at = page + ENTRIES_OFFSET + first * ENTRY_SIZE;
    esp_err_t err = esp_partition_read(partition, at, entries, sizeof entries);
    for (size_t i = 0; i < GROUP && err == ESP_OK;) {
        size_t count = count_left_over(head, entries, first, i);
        if (count > 0) {
            err = esp_partition_write(partition, at + i * ENTRY_SIZE, ZEROS, count * ENTRY_SIZE);
        }
        i += count + 1;
    }
    return err;
}

static esp_err_t purge_page(const esp_partition_t *partition, size_t page)
{
    page_head_t head;
    esp_err_t err = esp_partition_read(partition, page, &head, sizeof head);
    for (size_t first = 0; first < ENTRY_COUNT && err == ESP_OK; first += GROUP) {
        err = purge_group(partition, page, &head, first);
    }
    return err;
}

esp_err_t flash_purge_erased(nvs_handle_t handle)
{
    (void)handle;
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NVS_DEFAULT_PART_NAME);
    if (partition == NULL || partition->encrypted) {
        return ESP_ERR_NOT_SUPPORTED; /* zeros would be written as anything but zeros */
    }
    esp_err_t err = ESP_OK;
    for (size_t page = 0; page + PAGE_SIZE <= partition->size && err == ESP_OK; page += PAGE_SIZE) {
        err = purge_page(partition, page);
    }
    return err;
}

#endif

esp_err_t flash_purge_core_dump(void)
{
    uint8_t start[32];
    const esp_partition_t *dump =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_COREDUMP, NULL);
    if (dump == NULL || (esp_partition_read(dump, 0, start, sizeof start) == ESP_OK &&
                         is_filled(start, sizeof start, 0xFF))) {
        return ESP_OK;
    }
    return esp_partition_erase_range(dump, 0, dump->size);
}
