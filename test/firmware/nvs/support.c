#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "flash_file.h"

static char s_path[4096];

__attribute__((constructor)) static void end_at_failure(void)
{
    s_ends_at_failure = true;
}

int run_test_case(int argc, char **argv, const test_case_t *cases, size_t count)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s CASE FLASH\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < count; ++i) {
        if (strcmp(cases[i].name, argv[1]) == 0) {
            create_flash(argv[2], BLANK_FLASH_PAGES);
            cases[i].run();
            (void)nvs_flash_deinit();
            return 0;
        }
    }
    fprintf(stderr, "no case %s\n", argv[1]);
    return 2;
}

void create_flash(const char *path, uint8_t pages)
{
    CHECK(strlen(path) < sizeof(s_path));
    strcpy(s_path, path);
    CHECK(setenv("PROV_HOST_FLASH", path, 1) == 0);
    CHECK(blank_flash_write(path, pages));
}

void poke_flash(uint32_t address, const void *data, size_t size)
{
    int fd = open(s_path, O_WRONLY);
    CHECK(fd >= 0);
    CHECK(pwrite(fd, data, size, address) == (ssize_t)size);
    CHECK(close(fd) == 0);
}

void peek_flash(uint32_t address, void *data, size_t size)
{
    int fd = open(s_path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK(pread(fd, data, size, address) == (ssize_t)size);
    CHECK(close(fd) == 0);
}

uint32_t locate_in_flash(const void *data, size_t size)
{
    static uint8_t image[BLANK_FLASH_PAGES * 4096];
    peek_flash(BLANK_FLASH_NVS, image, sizeof(image));
    const uint8_t *found = memmem(image, sizeof(image), data, size);
    CHECK(found != NULL);
    const size_t rest = sizeof(image) - (size_t)(found + 1 - image);
    CHECK(memmem(found + 1, rest, data, size) == NULL);
    return BLANK_FLASH_NVS + (uint32_t)(found - image);
}

nvs_handle_t open_flash(const char *path, const char *namespace_name)
{
    nvs_handle_t handle;
    CHECK_OK(flash_file_open(path, FLASH_FILE_IN_PLACE));
    CHECK_OK(nvs_flash_init());
    CHECK_OK(nvs_open(namespace_name, NVS_READWRITE, &handle));
    return handle;
}

void close_flash(nvs_handle_t handle)
{
    nvs_close(handle);
    CHECK_OK(nvs_flash_deinit());
    flash_file_close();
}

nvs_handle_t start(void)
{
    nvs_handle_t handle;
    CHECK_OK(nvs_flash_init());
    CHECK_OK(nvs_open("test", NVS_READWRITE, &handle));
    return handle;
}

nvs_handle_t restart(void)
{
    CHECK_OK(nvs_flash_deinit());
    return start();
}

void fill_pattern(uint8_t *out, size_t size, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; ++i) {
        state = state * 1664525u + 1013904223u;
        out[i] = (uint8_t)(state >> 24);
    }
}

void check_str(nvs_handle_t handle, const char *key, const char *expected)
{
    char value[4000];
    size_t size = sizeof(value);
    CHECK_OK(nvs_get_str(handle, key, value, &size));
    CHECK(size == strlen(expected) + 1);
    CHECK(strcmp(value, expected) == 0);
}

void check_blob(nvs_handle_t handle, const char *key, const void *expected, size_t size)
{
    static uint8_t value[BLANK_FLASH_PAGES * 4096];
    size_t got = sizeof(value);
    CHECK_OK(nvs_get_blob(handle, key, value, &got));
    CHECK(got == size);
    CHECK(size == 0 || memcmp(value, expected, size) == 0);
}

void check_no_garbage_in_use(const char *const *namespaces, size_t count)
{
    nvs_stats_t stats;
    CHECK_OK(nvs_get_stats(NULL, &stats));
    size_t expected = stats.namespace_count;
    for (size_t i = 0; i < count; ++i) {
        nvs_handle_t handle;
        size_t used = 0;
        if (nvs_open(namespaces[i], NVS_READONLY, &handle) == ESP_OK) {
            CHECK_OK(nvs_get_used_entry_count(handle, &used));
            nvs_close(handle);
        }
        expected += used;
    }
    CHECK(stats.used_entries == expected);
    CHECK(stats.used_entries + stats.free_entries == stats.total_entries);
}
