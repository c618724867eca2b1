/*
 * prov_nvs: look at and erase keys in the NVS partition of a flash image.
 *
 *   prov_nvs FLASH list
 *   prov_nvs FLASH erase NAMESPACE KEY
 *   prov_nvs FLASH erase-all NAMESPACE
 *
 * Values are never printed: they are passwords, tokens and keys. `list` works on a copy in
 * memory, also while a board runs on the image; erasing needs the board to be off.
 *
 * Exit status: 0 done, 1 failed (the reason is on stderr), 2 usage.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "flash_file.h"
#include "nvs_flash.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const struct {
    nvs_type_t type;
    const char *name;
    size_t size; /* bytes; 0: varies */
} TYPES[] = {
    {NVS_TYPE_U8, "u8", 1},   {NVS_TYPE_I8, "i8", 1},   {NVS_TYPE_U16, "u16", 2},
    {NVS_TYPE_I16, "i16", 2}, {NVS_TYPE_U32, "u32", 4}, {NVS_TYPE_I32, "i32", 4},
    {NVS_TYPE_U64, "u64", 8}, {NVS_TYPE_I64, "i64", 8}, {NVS_TYPE_STR, "str", 0},
    {NVS_TYPE_BLOB, "blob", 0},
};

static const char *reason(esp_err_t err)
{
    switch (err) {
    case ESP_ERR_NOT_FOUND:
        return "no such file, or no NVS partition in its partition table";
    case ESP_ERR_INVALID_STATE:
        return "a board is running on this flash image; power it off first";
    case ESP_ERR_INVALID_SIZE:
        return "the NVS partition reaches past the end of the image";
    case ESP_ERR_NVS_NOT_FOUND:
        return "no such namespace or key";
    case ESP_ERR_NVS_NO_FREE_PAGES:
    case ESP_ERR_NVS_NEW_VERSION_FOUND:
        return "the NVS partition is not usable and must be erased";
    case ESP_ERR_NVS_WRONG_ENCRYPTION:
        return "the NVS partition is encrypted";
    case ESP_ERR_NO_MEM:
        return "out of memory";
    default:
        return "reading or writing the image failed";
    }
}

static int fail(const char *path, esp_err_t err)
{
    fprintf(stderr, "prov_nvs: %s: %s (0x%x)\n", path, reason(err), (unsigned)err);
    return EXIT_FAILED;
}

static esp_err_t print_entry(const nvs_entry_info_t *info)
{
    const char *name = "?";
    size_t size = 0;
    nvs_handle_t handle;

    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); ++i) {
        if (TYPES[i].type == info->type) {
            name = TYPES[i].name;
            size = TYPES[i].size;
        }
    }
    esp_err_t err = nvs_open(info->namespace_name, NVS_READONLY, &handle);
    if (err != ESP_OK) {
        return err;
    }
    if (info->type == NVS_TYPE_STR) {
        err = nvs_get_str(handle, info->key, NULL, &size);
    } else if (info->type == NVS_TYPE_BLOB) {
        err = nvs_get_blob(handle, info->key, NULL, &size);
    }
    nvs_close(handle);
    if (err == ESP_OK) {
        printf("%s\t%s\t%s\t%zu\n", info->namespace_name, info->key, name, size);
    }
    return err;
}

static esp_err_t list(void)
{
    nvs_iterator_t it = NULL;
    esp_err_t err = nvs_entry_find(NVS_DEFAULT_PART_NAME, NULL, NVS_TYPE_ANY, &it);
    while (err == ESP_OK) {
        nvs_entry_info_t info;
        err = nvs_entry_info(it, &info);
        if (err == ESP_OK) {
            err = print_entry(&info);
        }
        if (err != ESP_OK) {
            nvs_release_iterator(it);
            return err;
        }
        err = nvs_entry_next(&it);
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

/* `key` NULL: all keys. Opened read-only first, so that a misspelt namespace is not created. */
static esp_err_t erase(const char *namespace_name, const char *key)
{
    nvs_handle_t handle;
    esp_err_t err = nvs_open(namespace_name, NVS_READONLY, &handle);
    if (err != ESP_OK) {
        return err;
    }
    nvs_close(handle);
    err = nvs_open(namespace_name, NVS_READWRITE, &handle);
    if (err != ESP_OK) {
        return err;
    }
    err = key != NULL ? nvs_erase_key(handle, key) : nvs_erase_all(handle);
    nvs_close(handle);
    return err;
}

static int run(const char *path, flash_file_mode_t mode, const char *namespace_name,
               const char *key)
{
    esp_err_t err = flash_file_open(path, mode);
    if (err == ESP_OK) {
        err = nvs_flash_init();
    }
    if (err == ESP_OK) {
        err = mode == FLASH_FILE_SNAPSHOT ? list() : erase(namespace_name, key);
        (void)nvs_flash_deinit();
    }
    flash_file_close();
    return err == ESP_OK ? EXIT_DONE : fail(path, err);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[2], "list") == 0) {
        return run(argv[1], FLASH_FILE_SNAPSHOT, NULL, NULL);
    }
    if (argc == 5 && strcmp(argv[2], "erase") == 0) {
        return run(argv[1], FLASH_FILE_IN_PLACE, argv[3], argv[4]);
    }
    if (argc == 4 && strcmp(argv[2], "erase-all") == 0) {
        return run(argv[1], FLASH_FILE_IN_PLACE, argv[3], NULL);
    }
    fprintf(stderr, "usage: prov_nvs FLASH list\n"
                    "       prov_nvs FLASH erase NAMESPACE KEY\n"
                    "       prov_nvs FLASH erase-all NAMESPACE\n");
    return EXIT_USAGE;
}
