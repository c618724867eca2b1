/*
 * Fills the NVS of a flash image with another program's data until `leave` bytes of it are erased again.
 *
 *   nvs_fill FLASH LEAVE
 */
#include "support.h"

#define CHUNK 480

static int put_until_full(nvs_handle_t handle, size_t size, int first)
{
    static uint8_t data[CHUNK];
    for (int i = first;; ++i) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        esp_err_t err = nvs_set_blob(handle, key, data, size);
        if (err != ESP_OK) {
            CHECK_ERR(err, ESP_ERR_NVS_NOT_ENOUGH_SPACE);
            return i;
        }
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    nvs_handle_t handle = open_flash(argv[1], "other");
    int large = put_until_full(handle, CHUNK, 0);
    put_until_full(handle, 1, large);
    int freed = (int)strtoul(argv[2], NULL, 10) / CHUNK;
    for (int i = 0; i < freed; ++i) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        CHECK_OK(nvs_erase_key(handle, key));
    }
    close_flash(handle);
    return 0;
}
