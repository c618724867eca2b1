/* What the NVS tests share: checks that end the program, and flash images. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../blank_flash.h"
#include "../check.h"
#include "nvs_flash.h"

static inline void check_err(esp_err_t got, esp_err_t expected, const char *what, const char *file, int line)
{
    if (got != expected) {
        fprintf(stderr, "got 0x%x: ", (unsigned)got);
    }
    check_that(got == expected, what, file, line);
}

#define CHECK_ERR(call, expected) check_err((call), (expected), #call " is " #expected, __FILE__, __LINE__)
#define CHECK_OK(call) CHECK_ERR(call, ESP_OK)


typedef struct {
    const char *name;
    void (*run)(void);
} test_case_t;

/** Run the case named by argv[1] on a new flash image at argv[2]. Returns main's result. */
int run_test_case(int argc, char **argv, const test_case_t *cases, size_t count);

/** Create an erased flash image with an NVS partition of `pages` pages and make it PROV_HOST_FLASH. */
void create_flash(const char *path, uint8_t pages);

/** Overwrite bytes of the image behind the NVS's back. */
void poke_flash(uint32_t address, const void *data, size_t size);
void peek_flash(uint32_t address, void *data, size_t size);

/** Address of the only place where the image's NVS partition holds these bytes. */
uint32_t locate_in_flash(const void *data, size_t size);

/** Start the NVS of an image that is there, and open a namespace for writing; end it again. */
nvs_handle_t open_flash(const char *path, const char *namespace_name);
void close_flash(nvs_handle_t handle);

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
