/*
 * Thousands of random operations against a model in memory, through dozens of garbage
 * collections and restarts: whatever the API reports as done must be what is read back.
 */
#include <string.h>

#include "support.h"

enum { KEYS = 12, MAX_SIZE = 5000, OPERATIONS = 3000 };

typedef enum { ABSENT, NUMBER, TEXT, BLOB } kind_t;

typedef struct {
    kind_t kind;
    size_t size; /* bytes */
    uint32_t seed;
} value_t;

static value_t s_model[KEYS];
static uint8_t s_data[MAX_SIZE + 1];
static uint32_t s_random;

static uint32_t random_below(uint32_t limit)
{
    s_random = s_random * 1664525u + 1013904223u;
    return (s_random >> 8) % limit;
}

static const char *key_name(int key)
{
    static char name[16];
    snprintf(name, sizeof(name), "key%d", key);
    return name;
}

/* Text must not contain zeros before its end. */
static const char *text_of(const value_t *value)
{
    fill_pattern(s_data, value->size, value->seed);
    for (size_t i = 0; i < value->size; ++i) {
        s_data[i] = (uint8_t)('a' + s_data[i] % 26);
    }
    s_data[value->size] = '\0';
    return (const char *)s_data;
}

static void check_key(nvs_handle_t handle, int key)
{
    const value_t *value = &s_model[key];
    uint32_t number = 0;
    switch (value->kind) {
    case ABSENT:
        CHECK_ERR(nvs_find_key(handle, key_name(key), NULL), ESP_ERR_NVS_NOT_FOUND);
        break;
    case NUMBER:
        CHECK_OK(nvs_get_u32(handle, key_name(key), &number));
        CHECK(number == value->seed);
        break;
    case TEXT:
        check_str(handle, key_name(key), text_of(value));
        break;
    case BLOB:
        fill_pattern(s_data, value->size, value->seed);
        check_blob(handle, key_name(key), s_data, value->size);
        break;
    }
}

static esp_err_t store(nvs_handle_t handle, int key, const value_t *value)
{
    switch (value->kind) {
    case NUMBER:
        return nvs_set_u32(handle, key_name(key), value->seed);
    case TEXT:
        return nvs_set_str(handle, key_name(key), text_of(value));
    case BLOB:
        fill_pattern(s_data, value->size, value->seed);
        return nvs_set_blob(handle, key_name(key), s_data, value->size);
    default:
        return s_model[key].kind == ABSENT ? ESP_OK : nvs_erase_key(handle, key_name(key));
    }
}

/* Mostly small values; now and then one that is larger than what is left. */
static value_t random_value(void)
{
    value_t value = {.kind = (kind_t)random_below(4), .seed = random_below(UINT32_MAX)};
    const uint32_t limit = random_below(8) == 0 ? MAX_SIZE : 300;
    value.size = random_below(value.kind == TEXT && limit > 3999 ? 3999 : limit);
    return value;
}

static void run(uint32_t seed, int *refused)
{
    memset(s_model, 0, sizeof(s_model));
    s_random = seed;
    CHECK_OK(nvs_flash_erase());
    nvs_handle_t handle = start();
    for (int i = 0; i < OPERATIONS; ++i) {
        const int key = (int)random_below(KEYS);
        const value_t value = random_value();
        const esp_err_t err = store(handle, key, &value);
        if (err == ESP_OK) {
            s_model[key] = value;
        } else {
            CHECK_ERR(err, ESP_ERR_NVS_NOT_ENOUGH_SPACE);
            *refused += 1;
        }
        check_key(handle, key);
        if (random_below(50) == 0) {
            handle = restart();
            check_no_garbage_in_use((const char *const[]){"test"}, 1);
        }
        for (int k = 0; i % 20 == 0 && k < KEYS; ++k) {
            check_key(handle, k);
        }
    }
}

static void model(void)
{
    int refused = 0;
    for (uint32_t seed = 1; seed <= 3; ++seed) {
        run(seed, &refused);
    }
    CHECK(refused > 0); /* or the case of a full partition was never met */
}

int main(int argc, char **argv)
{
    static const test_case_t cases[] = {{"model", model}};
    return run_test_case(argc, argv, cases, 1);
}
