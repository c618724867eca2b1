/* Partitions that are damaged or foreign. */
#include <string.h>

#include "nvs_format.h"
#include "support.h"

/* Others may come first, and the row with the MD5 is the last. */
static void second_partition(void)
{
    uint8_t row[32];
    uint8_t md5[32];
    peek_flash(0x8000, row, sizeof(row));
    memset(md5, 0xEB, sizeof(md5));
    poke_flash(0x8020, row, sizeof(row));
    poke_flash(0x8040, md5, sizeof(md5));
    row[12] = 'x';
    poke_flash(0x8000, row, sizeof(row));
    nvs_handle_t handle = start();
    CHECK_OK(nvs_set_u8(handle, "key", 1));
}

static void behind_the_table(void)
{
    uint8_t row[32];
    uint8_t md5[32];
    peek_flash(0x8000, row, sizeof(row));
    memset(md5, 0xEB, sizeof(md5));
    poke_flash(0x8020, md5, sizeof(md5));
    poke_flash(0x8040, row, sizeof(row));
    row[12] = 'x';
    poke_flash(0x8000, row, sizeof(row));
    CHECK_ERR(nvs_flash_init(), ESP_ERR_NOT_FOUND);
}

static void write_page(uint32_t page, uint32_t state, uint8_t version)
{
    nvs_page_header_t header;
    memset(&header, 0xFF, sizeof(header));
    header.state = state;
    header.sequence = page;
    header.version = version;
    header.crc32 = nvs_page_header_crc(&header);
    poke_flash(BLANK_FLASH_NVS + page * NVS_PAGE_SIZE, &header, sizeof(header));
}

static void no_free_pages(void)
{
    for (uint32_t page = 0; page < BLANK_FLASH_PAGES; ++page) {
        write_page(page, NVS_PAGE_FULL, NVS_FORMAT_VERSION);
    }
    CHECK_ERR(nvs_flash_init(), ESP_ERR_NVS_NO_FREE_PAGES);
    CHECK_OK(nvs_flash_erase());
    nvs_handle_t handle = start();
    CHECK_OK(nvs_set_u8(handle, "key", 1));
}

/* A torn page header: the state is there, the CRC is not. Such pages are free. */
static void torn_headers(void)
{
    const uint32_t no_crc = UINT32_MAX;
    for (uint32_t page = 0; page < BLANK_FLASH_PAGES; ++page) {
        write_page(page, NVS_PAGE_FULL, NVS_FORMAT_VERSION);
        poke_flash(BLANK_FLASH_NVS + page * NVS_PAGE_SIZE + 28, &no_crc, sizeof(no_crc));
    }
    nvs_handle_t handle = start();
    CHECK_OK(nvs_set_u8(handle, "key", 1));
}

static void new_version(void)
{
    write_page(2, NVS_PAGE_ACTIVE, NVS_FORMAT_VERSION - 1);
    CHECK_ERR(nvs_flash_init(), ESP_ERR_NVS_NEW_VERSION_FOUND);
    CHECK_OK(nvs_flash_erase());
    CHECK_OK(nvs_flash_init());
}

/* Pages that make no sense are erased before they are used. */
static void corrupt_pages(void)
{
    static uint8_t junk[4096];
    static uint8_t data[11000];
    for (uint32_t page = 0; page < BLANK_FLASH_PAGES; ++page) {
        fill_pattern(junk, sizeof(junk), page);
        if (page % 2 == 0) {
            memset(junk, 0xFF, 4); /* state says blank, the rest does not */
        }
        poke_flash(BLANK_FLASH_NVS + page * 4096, junk, sizeof(junk));
    }
    nvs_handle_t handle = start();
    fill_pattern(data, sizeof(data), 7);
    CHECK_OK(nvs_set_blob(handle, "blob", data, sizeof(data)));
    handle = restart();
    check_blob(handle, "blob", data, sizeof(data));
}

/* Flipped bits: the value is gone rather than wrong, and the others are not touched. */
static void damaged_data(void)
{
    static uint8_t data[5000];
    const uint8_t zero = 0;
    size_t size = 0;
    nvs_handle_t handle = start();

    fill_pattern(data, sizeof(data), 8);
    CHECK_OK(nvs_set_str(handle, "text", "a string that is long enough to be found"));
    CHECK_OK(nvs_set_blob(handle, "blob", data, sizeof(data)));
    CHECK_OK(nvs_set_str(handle, "good", "still here"));
    poke_flash(locate_in_flash("long enough", 11), &zero, 1);
    poke_flash(locate_in_flash(data + 4096, 64), &zero, 1);

    char text[64];
    size = sizeof(text);
    CHECK_ERR(nvs_get_str(handle, "text", text, &size), ESP_ERR_NVS_NOT_FOUND);
    size = sizeof(data);
    CHECK_ERR(nvs_get_blob(handle, "blob", data, &size), ESP_ERR_NVS_NOT_FOUND);
    size = sizeof(data);
    CHECK(nvs_get_blob(handle, "blob", data, &size) != ESP_OK); /* ESP-IDF 5.5 clears away only now */
    check_str(handle, "good", "still here");
    CHECK_ERR(nvs_find_key(handle, "blob", NULL), ESP_ERR_NVS_NOT_FOUND);
    check_no_garbage_in_use((const char *const[]){"test"}, 1);

    poke_flash(locate_in_flash("good", 4), "g00d", 4); /* a header whose CRC is wrong now */
    handle = restart();
    CHECK_ERR(nvs_find_key(handle, "good", NULL), ESP_ERR_NVS_NOT_FOUND);
    CHECK_ERR(nvs_find_key(handle, "g00d", NULL), ESP_ERR_NVS_NOT_FOUND);
    check_no_garbage_in_use((const char *const[]){"test"}, 1);
}

/* Garbage collection copies damage as damage; it must not give it a valid CRC. */
static void damage_survives_collection(void)
{
    static uint8_t data[3000];
    const uint8_t zero = 0;
    nvs_handle_t handle = start();
    char text[64];
    size_t size = sizeof(text);

    CHECK_OK(nvs_set_str(handle, "text", "a string that is long enough to be found"));
    poke_flash(locate_in_flash("long enough", 11), &zero, 1);
    for (uint32_t i = 0; i < 40; ++i) {
        fill_pattern(data, sizeof(data), i);
        CHECK_OK(nvs_set_blob(handle, "blob", data, sizeof(data)));
    }
    CHECK_ERR(nvs_get_str(handle, "text", text, &size), ESP_ERR_NVS_NOT_FOUND);
}

/* Read all there is; what comes out does not matter, only that nothing else happens. */
static void read_everything(void)
{
    static uint8_t data[BLANK_FLASH_PAGES * 4096];
    nvs_iterator_t it = NULL;
    esp_err_t err = nvs_entry_find(NVS_DEFAULT_PART_NAME, NULL, NVS_TYPE_ANY, &it);
    while (err == ESP_OK) {
        nvs_entry_info_t info;
        nvs_handle_t handle;
        size_t size = sizeof(data);
        CHECK_OK(nvs_entry_info(it, &info));
        if (nvs_open(info.namespace_name, NVS_READONLY, &handle) == ESP_OK) {
            (void)nvs_get_blob(handle, info.key, data, &size);
            size = sizeof(data);
            (void)nvs_get_str(handle, info.key, (char *)data, &size);
            nvs_close(handle);
        }
        err = nvs_entry_next(&it);
    }
}

/* Store a value and read it back: the damage may swallow it, but must not change it. */
static void store_something(void)
{
    nvs_handle_t handle;
    if (nvs_open("fresh", NVS_READWRITE, &handle) != ESP_OK) {
        return;
    }
    if (nvs_set_str(handle, "key", "value") == ESP_OK) {
        char value[16];
        size_t size = sizeof(value);
        const esp_err_t err = nvs_get_str(handle, "key", value, &size);
        CHECK(err == ESP_ERR_NVS_NOT_FOUND || (err == ESP_OK && strcmp(value, "value") == 0));
    }
    nvs_close(handle);
}

/* Damage at random places of a used partition: values may be lost, and nothing else happens. */
static void random_damage(void)
{
    static uint8_t image[BLANK_FLASH_PAGES * 4096];
    static uint8_t data[5000];
    nvs_handle_t handle = start();
    for (uint32_t i = 0; i < 25; ++i) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", (unsigned)(i % 5));
        fill_pattern(data, i * 100, i);
        CHECK_OK(nvs_set_blob(handle, key, data, i * 100));
        snprintf(key, sizeof(key), "text%u", (unsigned)i);
        CHECK_OK(nvs_set_str(handle, key, key));
    }
    peek_flash(BLANK_FLASH_NVS, image, sizeof(image));
    CHECK_OK(nvs_flash_deinit());

    for (uint32_t round = 0; round < 300; ++round) {
        uint8_t random[256];
        fill_pattern(random, sizeof(random), round);
        poke_flash(BLANK_FLASH_NVS, image, sizeof(image));
        for (size_t i = 0; i + 4 <= 4 * (1 + round % 60); i += 4) {
            /* Every second hit goes to the head of a page, where it hurts most. */
            uint32_t at = (uint32_t)(random[i] << 8 | random[i + 1]) % sizeof(image);
            at = random[i + 2] % 2 == 0 ? at : at / 4096 * 4096 + at % 128;
            poke_flash(BLANK_FLASH_NVS + at, &random[i + 3], 1);
        }
        const esp_err_t err = nvs_flash_init();
        if (err != ESP_OK) {
            CHECK(err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND);
            continue;
        }
        read_everything();
        store_something();
        CHECK_OK(nvs_flash_deinit());
    }
    CHECK_OK(nvs_flash_erase());
    handle = start();
    CHECK_OK(nvs_set_str(handle, "key", "value"));
    handle = restart();
    check_str(handle, "key", "value");
}

static const test_case_t CASES[] = {
    {"second_partition", second_partition},
    {"behind_the_table", behind_the_table},
    {"no_free_pages", no_free_pages},
    {"torn_headers", torn_headers},
    {"new_version", new_version},
    {"corrupt_pages", corrupt_pages},
    {"damaged_data", damaged_data},
    {"damage_survives_collection", damage_survives_collection},
    {"random_damage", random_damage},
};

int main(int argc, char **argv)
{
    return run_test_case(argc, argv, CASES, sizeof(CASES) / sizeof(CASES[0]));
}
