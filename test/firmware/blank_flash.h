/* A flash chip that holds nothing but the entry of the NVS in its partition table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLANK_FLASH_NVS 0x9000u
#define BLANK_FLASH_PAGES 6u /* as partitions.csv has it */
#define BLANK_FLASH_SIZE (BLANK_FLASH_NVS + BLANK_FLASH_PAGES * 4096u)
#define BLANK_FLASH_MAX_PAGES 15u

/** With so many pages of NVS from BLANK_FLASH_NVS on. False when the file cannot be written. */
static inline bool blank_flash_write(const char *path, uint8_t pages)
{
    static uint8_t s_image[BLANK_FLASH_NVS + BLANK_FLASH_MAX_PAGES * 4096];
    const uint8_t table[32] = {0xaa, 0x50, 1, 2, 0, 0x90, 0, 0, 0, (uint8_t)(pages << 4), 0, 0, 'n', 'v', 's'};
    const size_t size = BLANK_FLASH_NVS + pages * 4096u;
    memset(s_image, 0xff, sizeof s_image);
    memcpy(s_image + 0x8000, table, sizeof table);
    FILE *file = pages <= BLANK_FLASH_MAX_PAGES ? fopen(path, "wb") : NULL;
    return file != NULL && fwrite(s_image, 1, size, file) == size && fclose(file) == 0;
}
