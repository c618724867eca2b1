/* What the NVS tests share: checks that name their line, and flash images. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "nvs_flash.h"

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                              \
        }                                                                         \
    } while (0)

#define CHECK_ERR(call, expected)                                                       \
    do {                                                                                \
        const esp_err_t got_ = (call);                                                  \
        if (got_ != (expected)) {                                                       \
            fprintf(stderr, "%s:%d: %s: got 0x%x, expected %s\n", __FILE__, __LINE__,   \
                    #call, (unsigned)got_, #expected);                                  \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

#define CHECK_OK(call) CHECK_ERR(call, ESP_OK)

#define TEST_NVS_OFFSET 0x9000u
#define TEST_PAGES 6u

typedef struct {
    const char *name;
    void (*run)(void);
} test_case_t;

/** Run the case named by argv[1] on a new flash image at argv[2]. Returns main's result. */
int run_test_case(int argc, char **argv, const test_case_t *cases, size_t count);

/** Create an erased flash image with an NVS partition of `pages` pages and make it PROV_HOST_FLASH. */
void create_flash(const char *path, uint32_t pages);

/** Overwrite bytes of the image behind the NVS's back. */
void poke_flash(uint32_t address, const void *data, size_t size);
void peek_flash(uint32_t address, void *data, size_t size);

/** Address of the only place where the image's NVS partition holds these bytes. */
uint32_t locate_in_flash(const void *data, size_t size);

/** nvs_open of "test" for writing, after nvs_flash_init. */
nvs_handle_t start(void);

/** Load the partition again, as a reboot would; returns a new handle. */
nvs_handle_t restart(void);

/** Bytes that depend on `seed` and the position only. */
void fill_pattern(uint8_t *out, size_t size, uint32_t seed);

/** Fails unless `key` holds exactly this string or blob. */
void check_str(nvs_handle_t handle, const char *key, const char *expected);
void check_blob(nvs_handle_t handle, const char *key, const void *expected, size_t size);

/** Fails unless every used entry belongs to a key of these namespaces or names one: no leaks. */
void check_no_garbage_in_use(const char *const *namespaces, size_t count);
