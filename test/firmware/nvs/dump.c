/* Prints every value of a flash image, one line each: namespace, key, type (hex), value (hex). */
#include <inttypes.h>
#include <string.h>

#include "flash_file.h"
#include "support.h"

static void print_hex(const void *data, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        printf("%02x", ((const uint8_t *)data)[i]);
    }
    printf("\n");
}

#define PRINT_INTEGER(suffix, c_type, format)                \
    do {                                                     \
        c_type value_ = 0;                                   \
        CHECK_OK(nvs_get_##suffix(handle, info->key, &value_)); \
        printf("%" format "\n", value_);                     \
    } while (0)

static void print_value(nvs_handle_t handle, const nvs_entry_info_t *info)
{
    static uint8_t data[BLANK_FLASH_PAGES * 4096];
    size_t size = sizeof(data);

    printf("%s\t%s\t%02x\t", info->namespace_name, info->key, (unsigned)info->type);
    switch (info->type) {
    case NVS_TYPE_U8: PRINT_INTEGER(u8, uint8_t, PRIu8); break;
    case NVS_TYPE_I8: PRINT_INTEGER(i8, int8_t, PRId8); break;
    case NVS_TYPE_U16: PRINT_INTEGER(u16, uint16_t, PRIu16); break;
    case NVS_TYPE_I16: PRINT_INTEGER(i16, int16_t, PRId16); break;
    case NVS_TYPE_U32: PRINT_INTEGER(u32, uint32_t, PRIu32); break;
    case NVS_TYPE_I32: PRINT_INTEGER(i32, int32_t, PRId32); break;
    case NVS_TYPE_U64: PRINT_INTEGER(u64, uint64_t, PRIu64); break;
    case NVS_TYPE_I64: PRINT_INTEGER(i64, int64_t, PRId64); break;
    case NVS_TYPE_STR:
        CHECK_OK(nvs_get_str(handle, info->key, (char *)data, &size));
        CHECK(size > 0 && data[size - 1] == '\0');
        print_hex(data, size - 1);
        break;
    case NVS_TYPE_BLOB:
        CHECK_OK(nvs_get_blob(handle, info->key, data, &size));
        print_hex(data, size);
        break;
    default:
        CHECK(!"known type");
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    CHECK_OK(flash_file_open(argv[1], FLASH_FILE_SNAPSHOT));
    CHECK_OK(nvs_flash_init());
    nvs_iterator_t it = NULL;
    esp_err_t err = nvs_entry_find(NVS_DEFAULT_PART_NAME, NULL, NVS_TYPE_ANY, &it);
    while (err == ESP_OK) {
        nvs_entry_info_t info;
        nvs_handle_t handle;
        CHECK_OK(nvs_entry_info(it, &info));
        CHECK_OK(nvs_open(info.namespace_name, NVS_READONLY, &handle));
        print_value(handle, &info);
        nvs_close(handle);
        err = nvs_entry_next(&it);
    }
    CHECK_ERR(err, ESP_ERR_NVS_NOT_FOUND);
    CHECK_OK(nvs_flash_deinit());
    flash_file_close();
    return 0;
}
