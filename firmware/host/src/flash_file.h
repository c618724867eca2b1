/*
 * The SPI NOR flash of a virtual board: one file that holds the whole flash image.
 *
 * It behaves like NOR: programming can only clear bits, and only whole 4096-byte sectors
 * can be set back to ones. Addresses are absolute, as on the chip.
 *
 * Not thread-safe: the NVS lock (nvs_api.c) guards every call once threads exist.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#define FLASH_SECTOR_SIZE 4096u

/* ESP-IDF keeps this in spi_flash_mmap.h, which nothing else here needs. */
#ifndef ESP_ERR_FLASH_OP_FAIL
#define ESP_ERR_FLASH_OP_FAIL (ESP_ERR_FLASH_BASE + 1)
#endif

typedef enum {
    FLASH_FILE_IN_PLACE, /* read and write the file; takes an exclusive lock on it */
    FLASH_FILE_SNAPSHOT, /* work on a private copy in memory; the file is never written */
} flash_file_mode_t;

typedef struct {
    uint32_t offset; /* bytes from the start of the flash */
    uint32_t size;   /* bytes */
    uint32_t flags;  /* bit 0: encrypted, bit 1: read-only */
    char label[17];
} flash_region_t;

/**
 * Open the flash image at `path`. Does nothing when one is open already: a chip has one flash.
 *
 * Reads PROV_HOST_NVS_CUT_AT (n >= 1: the process kills itself in the middle of its n-th program
 * or erase operation) and PROV_HOST_NVS_COUNT_FILE (a file that always holds the number of
 * operations so far).
 *
 * @return ESP_OK, ESP_ERR_NOT_FOUND (no such file), ESP_ERR_INVALID_STATE (another process has
 *         it open), ESP_ERR_INVALID_ARG (bad environment), ESP_ERR_NO_MEM, ESP_FAIL.
 */
esp_err_t flash_file_open(const char *path, flash_file_mode_t mode);

/** Close the image and forget the operation count. */
void flash_file_close(void);

/**
 * Look a partition up in the partition table at 0x8000; with `label` NULL, the first of that type.
 * @return ESP_OK, ESP_ERR_NOT_FOUND, ESP_ERR_INVALID_SIZE (it reaches past the end of the flash).
 */
esp_err_t flash_file_find_partition(uint8_t type, uint8_t subtype, const char *label,
                                    flash_region_t *out);

/** Read `size` bytes at `address`. ESP_ERR_INVALID_SIZE past the end, ESP_ERR_FLASH_OP_FAIL on I/O errors. */
esp_err_t flash_file_read(uint32_t address, void *out, size_t size);

/** Program `size` bytes: the flash then holds `old AND new`. Errors as flash_file_read. */
esp_err_t flash_file_program(uint32_t address, const void *data, size_t size);

/** Set one sector (4096-byte aligned `address`) to ones. Errors as flash_file_read. */
esp_err_t flash_file_erase_sector(uint32_t address);
