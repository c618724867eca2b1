/* A flash chip that holds nothing but the entry of the NVS in its partition table. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLANK_FLASH_SIZE 0xf000

/** False when the file cannot be written. */
static inline bool blank_flash_write(const char *path)
{
    static uint8_t s_image[BLANK_FLASH_SIZE];
    static const uint8_t TABLE[] = {0xaa, 0x50, 1, 2, 0, 0x90, 0, 0, 0, 0x60, 0, 0, 'n', 'v', 's', 0,
                                    0,    0,    0, 0, 0, 0,    0, 0, 0, 0,    0, 0, 0,   0,   0,   0};
    memset(s_image, 0xff, sizeof s_image);
    memcpy(s_image + 0x8000, TABLE, sizeof TABLE);
    FILE *file = fopen(path, "wb");
    return file != NULL && fwrite(s_image, 1, sizeof s_image, file) == sizeof s_image && fclose(file) == 0;
}
