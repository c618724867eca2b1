/* The flash below the NVS, and partitions that are damaged or foreign. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flash_file.h"
#include "nvs_format.h"
#include "support.h"

enum { NVS_END = BLANK_FLASH_NVS + BLANK_FLASH_PAGES * 4096 };

static void nor(void)
{
    const uint8_t first[4] = {0xF0, 0x0F, 0xFF, 0x00};
    const uint8_t second[4] = {0xFF, 0xFF, 0x3C, 0xFF};
    const uint8_t both[4] = {0xF0, 0x0F, 0x3C, 0x00};
    uint8_t got[8];

    CHECK_OK(flash_file_open(getenv("PROV_HOST_FLASH"), FLASH_FILE_IN_PLACE));
    CHECK_OK(flash_file_program(0x9ffe, first, sizeof(first)));
    CHECK_OK(flash_file_program(0x9ffe, second, sizeof(second)));
    CHECK_OK(flash_file_read(0x9ffc, got, sizeof(got)));
    CHECK(got[0] == 0xFF && got[1] == 0xFF && got[6] == 0xFF && got[7] == 0xFF);
    CHECK(memcmp(got + 2, both, sizeof(both)) == 0);
    CHECK_OK(flash_file_erase_sector(0xa000));
    CHECK_OK(flash_file_read(0x9ffe, got, 4));
    CHECK(got[0] == 0xF0 && got[1] == 0x0F && got[2] == 0xFF && got[3] == 0xFF);
    CHECK_ERR(flash_file_erase_sector(0xa001), ESP_ERR_INVALID_SIZE);
    CHECK_ERR(flash_file_read(NVS_END - 1, got, 2), ESP_ERR_INVALID_SIZE);
    CHECK_ERR(flash_file_program(NVS_END, got, 1), ESP_ERR_INVALID_SIZE);
    flash_file_close();
    CHECK_ERR(flash_file_read(0, got, 1), ESP_ERR_INVALID_STATE);
}

static void snapshot(void)
{
    uint8_t got[2] = {0, 0};
    const uint8_t zero = 0;
    CHECK_OK(flash_file_open(getenv("PROV_HOST_FLASH"), FLASH_FILE_SNAPSHOT));
    CHECK_OK(flash_file_program(0x9000, &zero, 1));
    CHECK_OK(flash_file_read(0x9000, got, sizeof(got)));
    CHECK(got[0] == 0 && got[1] == 0xFF);
    flash_file_close();
    peek_flash(0x9000, got, 1);
    CHECK(got[0] == 0xFF);
}

static void no_partition(void)
{
    uint32_t size = 0x7000;
    const uint8_t other_type = 0x00;

    CHECK(setenv("PROV_HOST_NVS_CUT_AT", "soon", 1) == 0);
    CHECK_ERR(nvs_flash_init(), ESP_ERR_INVALID_ARG);
    CHECK(unsetenv("PROV_HOST_NVS_CUT_AT") == 0);

    poke_flash(0x8008, &size, sizeof(size));
    CHECK_ERR(nvs_flash_init(), ESP_ERR_INVALID_SIZE);
    poke_flash(0x8002, &other_type, 1);
    CHECK_ERR(nvs_flash_init(), ESP_ERR_NOT_FOUND);
    CHECK_ERR(nvs_flash_erase(), ESP_ERR_NOT_FOUND);
    flash_file_close();
    CHECK(setenv("PROV_HOST_FLASH", "/nonexistent/flash.bin", 1) == 0);
    CHECK_ERR(nvs_flash_init(), ESP_ERR_NOT_FOUND);
    CHECK(unsetenv("PROV_HOST_FLASH") == 0);
    CHECK_ERR(nvs_flash_init(), ESP_ERR_NOT_FOUND);
}

/* The table may hold other partitions first, and its MD5 row. */
static void second_partition(void)
{
    uint8_t row[32];
    uint8_t md5[32];
    peek_flash(0x8000, row, sizeof(row));
    memset(md5, 0xEB, sizeof(md5));
    poke_flash(0x8020, md5, sizeof(md5));
    poke_flash(0x8040, row, sizeof(row));
    row[12] = 'x';
    poke_flash(0x8000, row, sizeof(row));
    nvs_handle_t handle = start();
    CHECK_OK(nvs_set_u8(handle, "key", 1));
}

static void encrypted(void)
{
    const uint8_t flag = 1;
    poke_flash(0x801c, &flag, 1);
    CHECK_ERR(nvs_flash_init(), ESP_ERR_NVS_WRONG_ENCRYPTION);
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

/* One flash, one process: a second one must be refused, and may come when the first is gone. */
static void exclusive(void)
{
    int ready[2];
    int release[2];
    char byte = 0;
    CHECK(pipe(ready) == 0 && pipe(release) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(release[1]);
        CHECK_OK(nvs_flash_init());
        CHECK(write(ready[1], "x", 1) == 1);
        CHECK(read(release[0], &byte, 1) == 0);
        _exit(0);
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK_ERR(nvs_flash_init(), ESP_ERR_INVALID_STATE);
    close(release[1]);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_OK(nvs_flash_init());
}

static const test_case_t CASES[] = {
    {"nor", nor},
    {"snapshot", snapshot},
    {"no_partition", no_partition},
    {"second_partition", second_partition},
    {"encrypted", encrypted},
    {"no_free_pages", no_free_pages},
    {"torn_headers", torn_headers},
    {"new_version", new_version},
    {"corrupt_pages", corrupt_pages},
    {"damaged_data", damaged_data},
    {"damage_survives_collection", damage_survives_collection},
    {"random_damage", random_damage},
    {"exclusive", exclusive},
};

int main(int argc, char **argv)
{
    return run_test_case(argc, argv, CASES, sizeof(CASES) / sizeof(CASES[0]));
}
