/* The API as ESP-IDF documents it: values, limits, error codes. */
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

/* The firmware's callers and its logs rely on the numbers, not only on the names. */
_Static_assert(ESP_ERR_NVS_NOT_FOUND == 0x1102, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_TYPE_MISMATCH == 0x1103, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_READ_ONLY == 0x1104, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_NOT_ENOUGH_SPACE == 0x1105, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_INVALID_HANDLE == 0x1107, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_KEY_TOO_LONG == 0x1109, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_INVALID_LENGTH == 0x110c, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_NO_FREE_PAGES == 0x110d, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_VALUE_TOO_LONG == 0x110e, "ESP-IDF's value");
_Static_assert(ESP_ERR_NVS_NEW_VERSION_FOUND == 0x1110, "ESP-IDF's value");

#define CHECK_INTEGER(suffix, c_type, value)                    \
    do {                                                        \
        c_type read_ = 0;                                       \
        CHECK_OK(nvs_set_##suffix(handle, #suffix, (value)));   \
        CHECK_OK(nvs_get_##suffix(handle, #suffix, &read_));    \
        CHECK(read_ == (value));                                \
    } while (0)

static void integers(void)
{
    nvs_handle_t handle = start();
    CHECK_INTEGER(u8, uint8_t, UINT8_MAX);
    CHECK_INTEGER(i8, int8_t, INT8_MIN);
    CHECK_INTEGER(u16, uint16_t, UINT16_MAX);
    CHECK_INTEGER(i16, int16_t, INT16_MIN);
    CHECK_INTEGER(u32, uint32_t, UINT32_MAX);
    CHECK_INTEGER(i32, int32_t, INT32_MIN);
    CHECK_INTEGER(u64, uint64_t, UINT64_MAX);
    CHECK_INTEGER(i64, int64_t, INT64_MIN);
    CHECK_INTEGER(i64, int64_t, -1);

    int64_t signed_value = 0;
    uint16_t untouched = 77;
    handle = restart();
    CHECK_OK(nvs_get_i64(handle, "i64", &signed_value));
    CHECK(signed_value == -1);
    CHECK_ERR(nvs_get_u16(handle, "u8", &untouched), ESP_ERR_NVS_NOT_FOUND);
    CHECK_ERR(nvs_get_u16(handle, "absent", &untouched), ESP_ERR_NVS_NOT_FOUND);
    CHECK(untouched == 77);
}

static void strings(void)
{
    nvs_handle_t handle = start();
    static char longest[4001];
    char small[5] = "keep";
    size_t size = 0;

    memset(longest, 'x', sizeof(longest) - 1);
    CHECK_ERR(nvs_set_str(handle, "long", longest), ESP_ERR_NVS_VALUE_TOO_LONG);
    CHECK_ERR(nvs_get_str(handle, "long", NULL, &size), ESP_ERR_NVS_NOT_FOUND);
    longest[3999] = '\0';
    CHECK_OK(nvs_set_str(handle, "long", longest));
    CHECK_OK(nvs_set_str(handle, "empty", ""));
    CHECK_OK(nvs_set_str(handle, "utf8", "caf\xc3\xa9 \xe2\x9c\x93"));
    handle = restart();
    check_str(handle, "long", longest);
    check_str(handle, "empty", "");
    check_str(handle, "utf8", "caf\xc3\xa9 \xe2\x9c\x93");

    CHECK_OK(nvs_set_str(handle, "five", "12345"));
    CHECK_OK(nvs_get_str(handle, "five", NULL, &size));
    CHECK(size == 6);
    size = sizeof(small);
    CHECK_ERR(nvs_get_str(handle, "five", small, &size), ESP_ERR_NVS_INVALID_LENGTH);
    CHECK(size == 6);
    CHECK(strcmp(small, "keep") == 0);
    CHECK_ERR(nvs_get_str(handle, "five", small, NULL), ESP_ERR_NVS_INVALID_LENGTH);
}

static void blobs(void)
{
    static const size_t sizes[] = {0, 1, 31, 32, 33, 3999, 4000, 4001, 8000, 11111};
    static uint8_t data[20001];
    nvs_handle_t handle = start();

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); ++i) {
        fill_pattern(data, sizes[i], (uint32_t)i);
        CHECK_OK(nvs_set_blob(handle, "blob", sizes[i] > 0 ? data : NULL, sizes[i]));
        check_blob(handle, "blob", data, sizes[i]);
        handle = restart();
        check_blob(handle, "blob", data, sizes[i]);
    }
    size_t size = 11110;
    CHECK_ERR(nvs_get_blob(handle, "blob", data, &size), ESP_ERR_NVS_INVALID_LENGTH);
    CHECK(size == 11111);
    /* Five of the six pages, 4000 bytes each, is the most a blob could ever take. */
    CHECK_ERR(nvs_set_blob(handle, "blob", data, 20001), ESP_ERR_NVS_VALUE_TOO_LONG);
    CHECK_ERR(nvs_set_blob(handle, "blob", data, 20000), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    fill_pattern(data, 11111, 9);
    check_blob(handle, "blob", data, 11111);
    check_no_garbage_in_use((const char *const[]){"test"}, 1);
}

static void type_change(void)
{
    nvs_handle_t handle = start();
    uint8_t number = 0;
    size_t size = 0;
    nvs_type_t type;

    CHECK_OK(nvs_set_u8(handle, "key", 1));
    CHECK_OK(nvs_set_str(handle, "key", "text"));
    CHECK_ERR(nvs_get_u8(handle, "key", &number), ESP_ERR_NVS_NOT_FOUND);
    check_str(handle, "key", "text");
    CHECK_OK(nvs_set_blob(handle, "key", "blob", 4));
    CHECK_ERR(nvs_get_str(handle, "key", NULL, &size), ESP_ERR_NVS_NOT_FOUND);
    CHECK_OK(nvs_find_key(handle, "key", &type));
    CHECK(type == NVS_TYPE_BLOB);
    CHECK_OK(nvs_set_u8(handle, "key", 2));
    CHECK_ERR(nvs_get_blob(handle, "key", NULL, &size), ESP_ERR_NVS_NOT_FOUND);
    handle = restart();
    CHECK_OK(nvs_get_u8(handle, "key", &number));
    CHECK(number == 2);
    check_no_garbage_in_use((const char *const[]){"test"}, 1);
}

static void keys(void)
{
    nvs_handle_t handle = start();
    nvs_type_t type;
    uint8_t value = 0;

    CHECK_OK(nvs_set_u8(handle, "fifteen_letters", 15));
    CHECK_OK(nvs_get_u8(handle, "fifteen_letters", &value));
    CHECK(value == 15);
    CHECK_ERR(nvs_set_u8(handle, "sixteen_letters_", 16), ESP_ERR_NVS_KEY_TOO_LONG);
    CHECK_ERR(nvs_set_str(handle, "sixteen_letters_", ""), ESP_ERR_NVS_KEY_TOO_LONG);
    CHECK_ERR(nvs_set_blob(handle, "sixteen_letters_", "", 1), ESP_ERR_NVS_KEY_TOO_LONG);
    CHECK_ERR(nvs_find_key(handle, "absent", &type), ESP_ERR_NVS_NOT_FOUND);
    CHECK_OK(nvs_find_key(handle, "fifteen_letters", NULL));
    CHECK_ERR(nvs_erase_key(handle, "absent"), ESP_ERR_NVS_NOT_FOUND);
    CHECK_OK(nvs_erase_key(handle, "fifteen_letters"));
    CHECK_ERR(nvs_erase_key(handle, "fifteen_letters"), ESP_ERR_NVS_NOT_FOUND);
    handle = restart();
    CHECK_ERR(nvs_get_u8(handle, "fifteen_letters", &value), ESP_ERR_NVS_NOT_FOUND);
}

static void handles(void)
{
    nvs_handle_t handle = 0;
    nvs_handle_t reader = 0;
    uint8_t value = 0;

    CHECK_ERR(nvs_open("test", NVS_READWRITE, &handle), ESP_ERR_NVS_NOT_INITIALIZED);
    CHECK_ERR(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    CHECK_OK(nvs_flash_init());
    CHECK_OK(nvs_flash_init());
    CHECK_ERR(nvs_open("test", NVS_READONLY, &reader), ESP_ERR_NVS_NOT_FOUND);
    CHECK_ERR(nvs_open("sixteen_letters_", NVS_READWRITE, &handle), ESP_ERR_NVS_KEY_TOO_LONG);
    CHECK_OK(nvs_open("test", NVS_READWRITE, &handle));
    CHECK_OK(nvs_open("test", NVS_READONLY, &reader));
    CHECK(handle != 0 && reader != 0 && handle != reader);

    CHECK_OK(nvs_set_u8(handle, "key", 5));
    CHECK_OK(nvs_get_u8(reader, "key", &value));
    CHECK(value == 5);
    CHECK_ERR(nvs_set_u8(reader, "key", 6), ESP_ERR_NVS_READ_ONLY);
    CHECK_ERR(nvs_set_str(reader, "key", "6"), ESP_ERR_NVS_READ_ONLY);
    CHECK_ERR(nvs_set_blob(reader, "key", "6", 1), ESP_ERR_NVS_READ_ONLY);
    CHECK_ERR(nvs_erase_key(reader, "key"), ESP_ERR_NVS_READ_ONLY);
    CHECK_ERR(nvs_erase_all(reader), ESP_ERR_NVS_READ_ONLY);
    CHECK_OK(nvs_commit(reader));

    nvs_close(reader);
    nvs_close(reader);
    CHECK_ERR(nvs_get_u8(reader, "key", &value), ESP_ERR_NVS_INVALID_HANDLE);
    CHECK_ERR(nvs_commit(reader), ESP_ERR_NVS_INVALID_HANDLE);
    CHECK_OK(nvs_flash_deinit());
    CHECK_ERR(nvs_set_u8(handle, "key", 7), ESP_ERR_NVS_INVALID_HANDLE);
    CHECK_OK(nvs_flash_init());
    CHECK_ERR(nvs_get_u8(handle, "key", &value), ESP_ERR_NVS_INVALID_HANDLE);
}

static void namespaces(void)
{
    nvs_handle_t handle = start();
    nvs_handle_t other = 0;
    nvs_stats_t stats;
    char name[16];

    CHECK_OK(nvs_open("other", NVS_READWRITE, &other));
    CHECK_OK(nvs_set_str(handle, "key", "here"));
    CHECK_OK(nvs_set_str(other, "key", "there"));
    CHECK_OK(nvs_set_blob(handle, "blob", "data", 4));
    CHECK_OK(nvs_erase_all(handle));
    CHECK_ERR(nvs_find_key(handle, "key", NULL), ESP_ERR_NVS_NOT_FOUND);
    CHECK_ERR(nvs_find_key(handle, "blob", NULL), ESP_ERR_NVS_NOT_FOUND);
    check_str(other, "key", "there");

    for (int i = 2; i < 254; ++i) {
        snprintf(name, sizeof(name), "ns%d", i);
        CHECK_OK(nvs_open(name, NVS_READWRITE, &handle));
        nvs_close(handle);
    }
    CHECK_ERR(nvs_open("one_too_many", NVS_READWRITE, &handle), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    handle = restart();
    CHECK_OK(nvs_get_stats(NVS_DEFAULT_PART_NAME, &stats));
    CHECK(stats.namespace_count == 254);
    CHECK_OK(nvs_open("other", NVS_READONLY, &other));
    check_str(other, "key", "there");
}

/* Fill the partition; what was stored before the refusal must stay readable. */
static void full(void)
{
    static char text[1000];
    static uint8_t data[9000];
    nvs_handle_t handle = start();
    char key[16];
    int stored = 0;
    esp_err_t err = ESP_OK;

    fill_pattern(data, 3000, 1);
    CHECK_OK(nvs_set_blob(handle, "blob", data, 3000));
    while (err == ESP_OK) {
        memset(text, 'a' + stored % 26, sizeof(text) - 1);
        snprintf(key, sizeof(key), "text%d", stored);
        err = nvs_set_str(handle, key, text);
        stored += err == ESP_OK ? 1 : 0;
    }
    CHECK_ERR(err, ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    /* The blob fills most of the first page; each of the other four takes three of 33 entries. */
    CHECK(stored == 12);
    size_t used = 0;
    size_t used_before = 0;
    CHECK_OK(nvs_get_used_entry_count(handle, &used_before));
    for (int attempt = 0; attempt < 3; ++attempt) {
        memset(text, '!', sizeof(text) - 1);
        CHECK_ERR(nvs_set_str(handle, "text0", text), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
        fill_pattern(data, 9000, 2);
        CHECK_ERR(nvs_set_blob(handle, "blob", data, 9000), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
        fill_pattern(data, 3000, 1);
        check_blob(handle, "blob", data, 3000);
        CHECK_OK(nvs_get_used_entry_count(handle, &used));
        CHECK(used == used_before); /* nothing is left of the attempt */
        handle = restart();
        for (int i = 0; i < stored; ++i) {
            memset(text, 'a' + i % 26, sizeof(text) - 1);
            snprintf(key, sizeof(key), "text%d", i);
            check_str(handle, key, text);
        }
    }
    CHECK_OK(nvs_erase_key(handle, "text0"));
    CHECK_OK(nvs_erase_key(handle, "text1"));
    CHECK_OK(nvs_set_str(handle, "again", text));
    check_str(handle, "again", text);
}

/* With one entry of garbage on the first page and many on the fourth, the fourth is collected. */
static void collects_best_page(void)
{
    static char text[1000];
    nvs_handle_t handle = start();
    char key[16];

    for (int i = 1; i < 5 * 126; ++i) { /* entry 0 names the namespace */
        snprintf(key, sizeof(key), "n%d", i);
        CHECK_OK(nvs_set_u8(handle, key, (uint8_t)i));
    }
    memset(text, 't', sizeof(text) - 1);
    CHECK_ERR(nvs_set_str(handle, "text", text), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    CHECK_OK(nvs_erase_key(handle, "n5"));
    for (int i = 3 * 126; i < 3 * 126 + 60; ++i) {
        snprintf(key, sizeof(key), "n%d", i);
        CHECK_OK(nvs_erase_key(handle, key));
    }
    CHECK_OK(nvs_set_str(handle, "text", text));
    handle = restart();
    check_str(handle, "text", text);
    uint8_t number = 0;
    CHECK_OK(nvs_get_u8(handle, "n500", &number));
    CHECK(number == (uint8_t)500);
}

static unsigned long operations(const char *count_file)
{
    unsigned long count = 0;
    FILE *file = fopen(count_file, "r");
    CHECK(file != NULL && fscanf(file, "%lu", &count) == 1);
    fclose(file);
    return count;
}

static void check_unchanged(size_t blob_size)
{
    static uint8_t data[6000];
    char count_file[4096];
    snprintf(count_file, sizeof(count_file), "%s.count", getenv("PROV_HOST_FLASH"));
    CHECK(setenv("PROV_HOST_NVS_COUNT_FILE", count_file, 1) == 0);

    nvs_handle_t handle = start();
    fill_pattern(data, blob_size, 3);
    CHECK_OK(nvs_set_u32(handle, "number", 1));
    CHECK_OK(nvs_set_str(handle, "text", "value"));
    CHECK_OK(nvs_set_blob(handle, "blob", data, blob_size));
    const unsigned long before = operations(count_file);
    CHECK(before > 10);
    CHECK_OK(nvs_set_u32(handle, "number", 1));
    CHECK_OK(nvs_set_str(handle, "text", "value"));
    CHECK_OK(nvs_set_blob(handle, "blob", data, blob_size));
    CHECK(operations(count_file) == before);
    handle = restart();
    CHECK(operations(count_file) == before);
    CHECK_OK(nvs_set_u32(handle, "number", 2));
    CHECK(operations(count_file) > before);
}

/* The same value again must not wear the flash out. */
static void unchanged(void)
{
    check_unchanged(2000);
}

/* Of several chunks; ESP-IDF 5.5 writes such a blob again. */
static void unchanged_chunks(void)
{
    check_unchanged(6000);
}

static void statistics(void)
{
    nvs_handle_t handle = start();
    nvs_stats_t stats;
    size_t used = 0;

    CHECK_ERR(nvs_get_stats(NULL, NULL), ESP_ERR_INVALID_ARG);
    CHECK_ERR(nvs_get_stats("absent", &stats), ESP_ERR_NVS_NOT_INITIALIZED);
    CHECK_OK(nvs_set_u8(handle, "one", 1));
    CHECK_OK(nvs_set_str(handle, "three", "more than one entry of 32 bytes!!"));
    CHECK_OK(nvs_set_blob(handle, "blob", "0123456789", 10));
    CHECK_OK(nvs_get_used_entry_count(handle, &used));
    CHECK(used == 1 + 3 + (2 + 1));
    CHECK_OK(nvs_get_stats(NULL, &stats));
    CHECK(stats.used_entries == used + 1);
    CHECK(stats.total_entries == BLANK_FLASH_PAGES * 126);
    CHECK(stats.free_entries == BLANK_FLASH_PAGES * 126 - stats.used_entries);
    CHECK(stats.available_entries == stats.free_entries - 126);
    CHECK(stats.namespace_count == 1);
}

static size_t count_entries(const char *name, nvs_type_t type)
{
    nvs_iterator_t it = NULL;
    size_t count = 0;
    esp_err_t err = nvs_entry_find(NVS_DEFAULT_PART_NAME, name, type, &it);
    while (err == ESP_OK) {
        nvs_entry_info_t info;
        CHECK_OK(nvs_entry_info(it, &info));
        CHECK(type == NVS_TYPE_ANY || info.type == type);
        CHECK(name == NULL || strcmp(info.namespace_name, name) == 0);
        CHECK(strcmp(info.key, info.type == NVS_TYPE_BLOB ? "blob" : "number") == 0);
        count += 1;
        err = nvs_entry_next(&it);
    }
    CHECK_ERR(err, ESP_ERR_NVS_NOT_FOUND);
    CHECK(it == NULL);
    return count;
}

static void iteration(void)
{
    static uint8_t data[9000];
    nvs_handle_t handle = start();
    nvs_handle_t other = 0;
    nvs_iterator_t it = NULL;

    CHECK(count_entries(NULL, NVS_TYPE_ANY) == 0);
    CHECK_OK(nvs_open("other", NVS_READWRITE, &other));
    CHECK_OK(nvs_set_u16(handle, "number", 1));
    CHECK_OK(nvs_set_blob(handle, "blob", data, sizeof(data)));
    CHECK_OK(nvs_set_u16(other, "number", 2));
    CHECK(count_entries(NULL, NVS_TYPE_ANY) == 3);
    CHECK(count_entries(NULL, NVS_TYPE_U16) == 2);
    CHECK(count_entries(NULL, NVS_TYPE_BLOB) == 1);
    CHECK(count_entries("test", NVS_TYPE_ANY) == 2);
    CHECK(count_entries("other", NVS_TYPE_BLOB) == 0);
    CHECK(count_entries("absent", NVS_TYPE_ANY) == 0);
    CHECK_ERR(nvs_entry_find(NULL, NULL, NVS_TYPE_ANY, &it), ESP_ERR_INVALID_ARG);
    CHECK_OK(nvs_entry_find(NVS_DEFAULT_PART_NAME, NULL, NVS_TYPE_ANY, &it));
    nvs_release_iterator(it);
    nvs_release_iterator(NULL);
}

/* ESP-IDF follows a pointer that leads nowhere there. */
static void stale_iterator(void)
{
    nvs_iterator_t it = NULL;
    CHECK_OK(nvs_set_u16(start(), "number", 1));
    CHECK_OK(nvs_entry_find(NVS_DEFAULT_PART_NAME, NULL, NVS_TYPE_ANY, &it));
    CHECK_OK(nvs_flash_deinit());
    CHECK_ERR(nvs_entry_next(&it), ESP_ERR_NVS_NOT_FOUND);
}

static const test_case_t CASES[] = {
    {"integers", integers},     {"strings", strings},       {"blobs", blobs},
    {"type_change", type_change}, {"keys", keys},           {"handles", handles},
    {"namespaces", namespaces}, {"full", full},
    {"collects_best_page", collects_best_page},             {"unchanged", unchanged},
    {"unchanged_chunks", unchanged_chunks},                 {"stale_iterator", stale_iterator},
    {"statistics", statistics}, {"iteration", iteration},
};

int main(int argc, char **argv)
{
    return run_test_case(argc, argv, CASES, sizeof(CASES) / sizeof(CASES[0]));
}
