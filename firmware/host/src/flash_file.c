#include "flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ESP-IDF, "Partition Tables": 32-byte entries, at most 0xC00 bytes, ended by the row with their MD5 or an erased one. */
#define TABLE_OFFSET 0x8000u
#define TABLE_MAX_ENTRIES (0xC00u / sizeof(partition_entry_t))
#define TABLE_ENTRY_MAGIC 0x50AAu

/* A NOR chip programs at most one such page per command; here it only bounds the buffer. */
#define PROGRAM_PAGE_SIZE 256u

typedef struct {
    uint16_t magic;
    uint8_t type;
    uint8_t subtype;
    uint32_t offset;
    uint32_t size;
    char label[16]; /* zero padded, not terminated when 16 long */
    uint32_t flags;
} partition_entry_t;

_Static_assert(sizeof(partition_entry_t) == 32, "partition table entries have 32 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "flash structures are little-endian");

static struct {
    int fd;
    uint8_t *snapshot; /* owned; NULL when the file is used in place */
    uint32_t size;
    unsigned long operations;
    unsigned long cut_at; /* 0: never */
    int count_fd;
} s_flash = {.fd = -1, .count_fd = -1};

static bool full_pread(int fd, void *out, size_t size, uint32_t address)
{
    uint8_t *bytes = out;
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, bytes + done, size - done, (off_t)address + (off_t)done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

static bool full_pwrite(int fd, const void *data, size_t size, uint32_t address)
{
    const uint8_t *bytes = data;
    size_t done = 0;
    while (done < size) {
        ssize_t put = pwrite(fd, bytes + done, size - done, (off_t)address + (off_t)done);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        done += (size_t)put;
    }
    return true;
}

/* Environment: both settings are optional; a cut point that is not a number is a test's bug. */
static esp_err_t read_environment(void)
{
    const char *cut_at = getenv("PROV_HOST_NVS_CUT_AT");
    s_flash.cut_at = 0;
    if (cut_at != NULL && cut_at[0] != '\0') {
        char *end = NULL;
        errno = 0;
        s_flash.cut_at = strtoul(cut_at, &end, 10);
        if (errno != 0 || *end != '\0' || s_flash.cut_at == 0) {
            return ESP_ERR_INVALID_ARG;
        }
    }

    const char *count_file = getenv("PROV_HOST_NVS_COUNT_FILE");
    if (count_file != NULL && count_file[0] != '\0') {
        s_flash.count_fd = open(count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (s_flash.count_fd < 0) {
            return ESP_ERR_INVALID_ARG;
        }
    }
    return ESP_OK;
}

static esp_err_t take_snapshot(void)
{
    s_flash.snapshot = malloc(s_flash.size > 0 ? s_flash.size : 1);
    if (s_flash.snapshot == NULL) {
        return ESP_ERR_NO_MEM;
    }
    return full_pread(s_flash.fd, s_flash.snapshot, s_flash.size, 0) ? ESP_OK : ESP_FAIL;
}

static esp_err_t open_image(const char *path, flash_file_mode_t mode)
{
    s_flash.fd = open(path, (mode == FLASH_FILE_SNAPSHOT ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (s_flash.fd < 0) {
        return errno == ENOENT ? ESP_ERR_NOT_FOUND : ESP_FAIL;
    }
    struct stat info;
    if (fstat(s_flash.fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > INT32_MAX) {
        return ESP_FAIL;
    }
    s_flash.size = (uint32_t)info.st_size;
    if (mode == FLASH_FILE_SNAPSHOT) {
        return take_snapshot();
    }
    /* Two writers would destroy each other's pages. The kernel drops the lock with the process,
     * so a power cut never leaves it behind. */
    if (flock(s_flash.fd, LOCK_EX | LOCK_NB) != 0) {
        return ESP_ERR_INVALID_STATE;
    }
    return read_environment();
}

esp_err_t flash_file_open(const char *path, flash_file_mode_t mode)
{
    if (s_flash.fd >= 0) {
        return ESP_OK;
    }
    if (path == NULL || path[0] == '\0') {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = open_image(path, mode);
    if (err != ESP_OK) {
        flash_file_close();
    }
    return err;
}

void flash_file_close(void)
{
    if (s_flash.fd >= 0) {
        close(s_flash.fd);
    }
    if (s_flash.count_fd >= 0) {
        close(s_flash.count_fd);
    }
    free(s_flash.snapshot);
    memset(&s_flash, 0, sizeof(s_flash));
    s_flash.fd = -1;
    s_flash.count_fd = -1;
}

esp_err_t flash_file_find_partition(uint8_t type, uint8_t subtype, const char *label,
                                    flash_region_t *out)
{
    for (uint32_t i = 0; i < TABLE_MAX_ENTRIES; ++i) {
        partition_entry_t entry;
        const uint32_t address = TABLE_OFFSET + i * (uint32_t)sizeof(entry);
        if (flash_file_read(address, &entry, sizeof(entry)) != ESP_OK) {
            return ESP_ERR_NOT_FOUND;
        }
        if (entry.magic != TABLE_ENTRY_MAGIC) {
            return ESP_ERR_NOT_FOUND;
        }
        if (entry.type != type || entry.subtype != subtype ||
            (label != NULL && strncmp(entry.label, label, sizeof(entry.label)) != 0)) {
            continue;
        }
        if (entry.offset > s_flash.size || entry.size > s_flash.size - entry.offset) {
            return ESP_ERR_INVALID_SIZE;
        }
        *out = (flash_region_t){.offset = entry.offset, .size = entry.size, .flags = entry.flags};
        memcpy(out->label, entry.label, sizeof entry.label);
        return ESP_OK;
    }
    return ESP_ERR_NOT_FOUND;
}

static bool in_range(uint32_t address, size_t size)
{
    return address <= s_flash.size && size <= s_flash.size - address;
}

esp_err_t flash_file_read(uint32_t address, void *out, size_t size)
{
    if (s_flash.fd < 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (!in_range(address, size)) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (s_flash.snapshot != NULL) {
        memcpy(out, s_flash.snapshot + address, size);
        return ESP_OK;
    }
    return full_pread(s_flash.fd, out, size, address) ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

static esp_err_t store(uint32_t address, const void *data, size_t size)
{
    if (s_flash.snapshot != NULL) {
        memcpy(s_flash.snapshot + address, data, size);
        return ESP_OK;
    }
    return full_pwrite(s_flash.fd, data, size, address) ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

/* Counts one operation; true when the power is to fail in the middle of it. */
static bool begin_operation(void)
{
    s_flash.operations += 1;
    if (s_flash.count_fd >= 0) {
        char text[32];
        int length = snprintf(text, sizeof(text), "%lu\n", s_flash.operations);
        /* The count only grows, so a shorter text never leaves digits of a longer one behind. */
        (void)full_pwrite(s_flash.count_fd, text, (size_t)length, 0);
    }
    return s_flash.operations == s_flash.cut_at;
}

static void lose_power(void)
{
    kill(getpid(), SIGKILL);
    for (;;) {
        pause(); /* the signal may still be on its way to this thread */
    }
}

esp_err_t flash_file_program(uint32_t address, const void *data, size_t size)
{
    if (s_flash.fd < 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (!in_range(address, size)) {
        return ESP_ERR_INVALID_SIZE;
    }
    const bool torn = begin_operation();
    const size_t limit = torn ? size / 2 : size;
    const uint8_t *bytes = data;
    esp_err_t err = ESP_OK;

    for (size_t done = 0; done < limit && err == ESP_OK;) {
        uint8_t page[PROGRAM_PAGE_SIZE];
        size_t step = limit - done < sizeof(page) ? limit - done : sizeof(page);
        err = flash_file_read(address + (uint32_t)done, page, step);
        if (err == ESP_OK) {
            for (size_t i = 0; i < step; ++i) {
                page[i] &= bytes[done + i];
            }
            err = store(address + (uint32_t)done, page, step);
        }
        done += step;
    }
    if (torn) {
        lose_power();
    }
    return err;
}

esp_err_t flash_file_erase_sector(uint32_t address)
{
    static uint8_t ones[FLASH_SECTOR_SIZE];

    if (s_flash.fd < 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (address % FLASH_SECTOR_SIZE != 0 || !in_range(address, FLASH_SECTOR_SIZE)) {
        return ESP_ERR_INVALID_SIZE;
    }
    memset(ones, 0xFF, sizeof(ones));
    const bool torn = begin_operation();
    esp_err_t err = store(address, ones, torn ? sizeof(ones) / 2 : sizeof(ones));
    if (torn) {
        lose_power();
    }
    return err;
}
