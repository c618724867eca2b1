/* Threads that read and write at once; ThreadSanitizer watches, and every value must be whole. */
#include <pthread.h>
#include <string.h>

#include "support.h"

enum { THREADS = 4, ROUNDS = 150, SIZE = 700 };

static void *work(void *argument)
{
    const int number = *(const int *)argument;
    uint8_t mine[SIZE];
    uint8_t shared[SIZE];
    char key[16];
    snprintf(key, sizeof(key), "thread%d", number);

    for (int round = 0; round < ROUNDS; ++round) {
        nvs_handle_t handle;
        CHECK_OK(nvs_open("test", NVS_READWRITE, &handle));
        fill_pattern(mine, sizeof(mine), (uint32_t)(number * ROUNDS + round));
        CHECK_OK(nvs_set_blob(handle, key, mine, sizeof(mine)));
        size_t size = sizeof(shared);
        CHECK_OK(nvs_get_blob(handle, key, shared, &size));
        CHECK(size == sizeof(mine) && memcmp(shared, mine, size) == 0);

        memset(shared, number * 16 + round % 16, sizeof(shared));
        CHECK_OK(nvs_set_blob(handle, "shared", shared, sizeof(shared)));
        size = sizeof(shared);
        CHECK_OK(nvs_get_blob(handle, "shared", shared, &size));
        for (size_t i = 1; i < size; ++i) {
            CHECK(shared[i] == shared[0]);
        }
        nvs_stats_t stats;
        CHECK_OK(nvs_get_stats(NULL, &stats));
        nvs_close(handle);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t ids[THREADS];
    int numbers[THREADS];
    nvs_handle_t handle = start();
    for (int i = 0; i < THREADS; ++i) {
        numbers[i] = i;
        CHECK(pthread_create(&ids[i], NULL, work, &numbers[i]) == 0);
    }
    for (int i = 0; i < THREADS; ++i) {
        CHECK(pthread_join(ids[i], NULL) == 0);
    }
    nvs_close(handle);
}

int main(int argc, char **argv)
{
    static const test_case_t cases[] = {{"threads", threads}};
    return run_test_case(argc, argv, cases, 1);
}
