/* The file that is the flash of the virtual board. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flash_file.h"
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

/* As on a chip whose flash is encrypted; this one cannot be. */
static void encrypted(void)
{
    const uint8_t flag = 1;
    poke_flash(0x801c, &flag, 1);
    CHECK_ERR(nvs_flash_init(), ESP_ERR_NVS_WRONG_ENCRYPTION);
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
    {"encrypted", encrypted},
    {"exclusive", exclusive},
};

int main(int argc, char **argv)
{
    return run_test_case(argc, argv, CASES, sizeof(CASES) / sizeof(CASES[0]));
}
