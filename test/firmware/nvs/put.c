/* Puts what comes on stdin as a blob into namespace "device_config" of a flash image: nvs_put FLASH KEY */
#include "flash_file.h"
#include "support.h"

int main(int argc, char **argv)
{
    static uint8_t data[8192];
    nvs_handle_t handle;
    CHECK(argc == 3);
    size_t size = fread(data, 1, sizeof(data), stdin);
    CHECK(size > 0 && size < sizeof(data));
    CHECK_OK(flash_file_open(argv[1], FLASH_FILE_IN_PLACE));
    CHECK_OK(nvs_flash_init());
    CHECK_OK(nvs_open("device_config", NVS_READWRITE, &handle));
    CHECK_OK(nvs_set_blob(handle, argv[2], data, size));
    nvs_close(handle);
    CHECK_OK(nvs_flash_deinit());
    flash_file_close();
    return 0;
}
