/*
 * What the tests know of the host port's flash, on ESP-IDF's: PROV_HOST_FLASH is its file, and at the n-th write,
 * PROV_HOST_NVS_CUT_AT, half of it is written and the process dies. PROV_HOST_NVS_COUNT_FILE is told how many came.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_partition.h"
#include "esp_private/partition_linux.h"
#include "flash_file.h"

esp_err_t __real_esp_partition_file_mmap(const uint8_t **start);
esp_err_t __real_esp_partition_write(const esp_partition_t *partition, size_t offset, const void *bytes, size_t size);
esp_err_t __real_esp_partition_write_raw(const esp_partition_t *partition, size_t offset, const void *bytes,
                                         size_t size);
esp_err_t __real_esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);

esp_err_t __wrap_esp_partition_file_mmap(const uint8_t **start);
esp_err_t __wrap_esp_partition_write(const esp_partition_t *partition, size_t offset, const void *bytes, size_t size);
esp_err_t __wrap_esp_partition_write_raw(const esp_partition_t *partition, size_t offset, const void *bytes,
                                         size_t size);
esp_err_t __wrap_esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);

esp_err_t flash_file_open(const char *path, flash_file_mode_t mode)
{
    (void)mode;
    return setenv("PROV_HOST_FLASH", path, 1) == 0 ? ESP_OK : ESP_FAIL;
}

void flash_file_close(void)
{
    (void)esp_partition_file_munmap();
}

esp_err_t __wrap_esp_partition_file_mmap(const uint8_t **start)
{
    esp_partition_file_mmap_ctrl_t *control = esp_partition_get_file_mmap_ctrl_input();
    const char *path = getenv("PROV_HOST_FLASH");
    snprintf(control->flash_file_name, sizeof control->flash_file_name, "%s", path != NULL ? path : "/nonexistent");
    return __real_esp_partition_file_mmap(start);
}

static unsigned long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

/** Counts a write; true when the power fails in the middle of it. */
static bool is_last(void)
{
    static unsigned long s_writes;
    const char *count_file = getenv("PROV_HOST_NVS_COUNT_FILE");
    s_writes++;
    FILE *file = count_file != NULL ? fopen(count_file, "w") : NULL;
    if (file != NULL) {
        fprintf(file, "%lu\n", s_writes);
        fclose(file);
    }
    return s_writes == number_of("PROV_HOST_NVS_CUT_AT");
}

static esp_err_t lose_power(void)
{
    kill(getpid(), SIGKILL);
    return ESP_FAIL;
}

esp_err_t __wrap_esp_partition_write(const esp_partition_t *partition, size_t offset, const void *bytes, size_t size)
{
    bool last = is_last();
    esp_err_t err = __real_esp_partition_write(partition, offset, bytes, last ? size / 2 : size);
    return last ? lose_power() : err;
}

esp_err_t __wrap_esp_partition_write_raw(const esp_partition_t *partition, size_t offset, const void *bytes,
                                         size_t size)
{
    bool last = is_last();
    esp_err_t err = __real_esp_partition_write_raw(partition, offset, bytes, last ? size / 2 : size);
    return last ? lose_power() : err;
}

/** Of a sector that is being erased when the power fails, the first half. */
static void erase_half(uint32_t address)
{
    static uint8_t ones[FLASH_SECTOR_SIZE / 2];
    memset(ones, 0xFF, sizeof ones);
    int fd = open(getenv("PROV_HOST_FLASH"), O_WRONLY);
    if (fd < 0 || pwrite(fd, ones, sizeof ones, address) != (ssize_t)sizeof ones) {
        abort();
    }
}

esp_err_t __wrap_esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    esp_err_t err = ESP_OK;
    for (size_t at = offset; at < offset + size && err == ESP_OK; at += FLASH_SECTOR_SIZE) {
        if (is_last()) {
            erase_half(partition->address + (uint32_t)at);
            return lose_power();
        }
        err = __real_esp_partition_erase_range(partition, at, FLASH_SECTOR_SIZE);
    }
    return err;
}
