/* Puts what comes on stdin as a blob into namespace "device_config" of a flash image: nvs_put FLASH KEY */
#include "support.h"

int main(int argc, char **argv)
{
    static uint8_t data[8192];
    CHECK(argc == 3);
    size_t size = fread(data, 1, sizeof(data), stdin);
    CHECK(size > 0 && size < sizeof(data));
    nvs_handle_t handle = open_flash(argv[1], "device_config");
    CHECK_OK(nvs_set_blob(handle, argv[2], data, size));
    close_flash(handle);
    return 0;
}
