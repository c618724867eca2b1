#include "esp_partition.h"

#include <stdlib.h>
#include <string.h>

#include "flash_file.h"
#include "nvs_api.h"

#define PARTITIONS_MAX 8
#define FLAG_ENCRYPTED 1u
#define FLAG_READONLY 2u

/* Guarded, as all of the flash is, by the lock of NVS. */
static esp_partition_t s_found[PARTITIONS_MAX];
static size_t s_count;

static const esp_partition_t *remember(const esp_partition_t *partition)
{
    for (size_t i = 0; i < s_count; i++) {
        if (s_found[i].address == partition->address) {
            return &s_found[i];
        }
    }
    if (s_count == PARTITIONS_MAX) {
        return NULL;
    }
    s_found[s_count] = *partition;
    return &s_found[s_count++];
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label)
{
    flash_region_t region;
    const esp_partition_t *found = NULL;
    (void)nvs_lock_log();
    if (flash_file_open(getenv("PROV_HOST_FLASH"), FLASH_FILE_IN_PLACE) == ESP_OK &&
        flash_file_find_partition((uint8_t)type, (uint8_t)subtype, label, &region) == ESP_OK) {
        esp_partition_t partition = {
            .type = type,
            .subtype = subtype,
            .address = region.offset,
            .size = region.size,
            .erase_size = FLASH_SECTOR_SIZE,
            .encrypted = (region.flags & FLAG_ENCRYPTED) != 0,
            .readonly = (region.flags & FLAG_READONLY) != 0,
        };
        memcpy(partition.label, region.label, sizeof partition.label);
        found = remember(&partition);
    }
    nvs_unlock();
    return found;
}

static esp_err_t check_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    return size > partition->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size)
{
    esp_err_t err = check_range(partition, src_offset, size);
    (void)nvs_lock_log();
    if (err == ESP_OK) {
        err = flash_file_read(partition->address + (uint32_t)src_offset, dst, size);
    }
    nvs_unlock();
    return err;
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src, size_t size)
{
    esp_err_t err = partition->readonly ? ESP_ERR_NOT_ALLOWED : check_range(partition, dst_offset, size);
    (void)nvs_lock_log();
    if (err == ESP_OK) {
        err = flash_file_program(partition->address + (uint32_t)dst_offset, src, size);
    }
    nvs_unlock();
    return err;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    esp_err_t err = partition->readonly ? ESP_ERR_NOT_ALLOWED : check_range(partition, offset, size);
    if (err == ESP_OK && (offset % FLASH_SECTOR_SIZE != 0 || size % FLASH_SECTOR_SIZE != 0)) {
        err = offset % FLASH_SECTOR_SIZE != 0 ? ESP_ERR_INVALID_ARG : ESP_ERR_INVALID_SIZE;
    }
    (void)nvs_lock_log();
    for (size_t at = 0; at < size && err == ESP_OK; at += FLASH_SECTOR_SIZE) {
        err = flash_file_erase_sector(partition->address + (uint32_t)(offset + at));
    }
    nvs_unlock();
    return err;
}
