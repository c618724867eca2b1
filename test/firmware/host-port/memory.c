/* Stacks and heap of the chip's size: what they tell, and what happens at their ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "esp_heap_caps.h"
#include "esp_system.h"
#include "freertos/task.h"
#include "program.h"

#define STACK_BYTES 4096
#define BLOCK_BYTES 4096
#define BLOCKS_MAX 200

static SemaphoreHandle_t s_done;
static uint32_t s_before;
static uint32_t s_after;

static __attribute__((noinline)) void use(size_t bytes)
{
    char frame[bytes];
    memset(frame, 1, bytes);
    __asm__ volatile("" : : "r"(frame) : "memory");
}

static void use_half(void *argument)
{
    (void)argument;
    s_before = uxTaskGetStackHighWaterMark(NULL);
    use(sizeof(char[STACK_BYTES / 2]));
    s_after = uxTaskGetStackHighWaterMark(NULL);
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void wait_for_word(void *argument)
{
    xSemaphoreTake((SemaphoreHandle_t)argument, portMAX_DELAY);
    vTaskDelete(NULL);
}

static void run(TaskFunction_t code, const char *name)
{
    CHECK(xTaskCreate(code, name, STACK_BYTES, NULL, 5, NULL) == pdPASS);
    xSemaphoreTake(s_done, portMAX_DELAY);
}

static void test_marks(void)
{
    run(use_half, "half");
    CHECK(s_before < STACK_BYTES && s_before > STACK_BYTES / 2);
    CHECK(s_after < s_before);
    uint32_t first = s_after;
    run(use_half, "half");
    CHECK(s_after == first); /* a stack of its own, and a fresh one */
}

/* Down into the last 16 bytes, and not below. */
static void fill(void *argument)
{
    (void)argument;
    for (size_t bytes = 256; uxTaskGetStackHighWaterMark(NULL) > 4; bytes += 16) {
        use(bytes);
    }
    REPORT("full");
    vTaskDelay(1);
}

static __attribute__((noinline)) unsigned fall(unsigned depth)
{
    volatile char frame[64] = {(char)depth};
    return s_done != NULL ? fall(depth + 1) + (unsigned)frame[0] : 0;
}

static void overflow(void *argument)
{
    (void)argument;
    REPORT("%u", fall(0));
}

static void test_heap(void)
{
    static void *s_blocks[BLOCKS_MAX];
    uint32_t free_before = esp_get_free_heap_size();
    CHECK(free_before > 200 * 1024 && free_before < 276 * 1024);
    int count = 0;
    while (count < BLOCKS_MAX && (s_blocks[count] = malloc(BLOCK_BYTES)) != NULL) {
        count++;
    }
    CHECK(count > 10 && count < BLOCKS_MAX);
    CHECK(esp_get_free_heap_size() < BLOCK_BYTES);
    CHECK(esp_get_minimum_free_heap_size() <= esp_get_free_heap_size());
    CHECK(calloc(1, BLOCK_BYTES) == NULL && realloc(s_blocks[0], 2 * BLOCK_BYTES) == NULL);
    CHECK(xTaskCreate(use_half, "none", STACK_BYTES, NULL, 5, NULL) != pdPASS);
    CHECK(xQueueCreate(1, BLOCK_BYTES) == NULL);
    while (count > 0) {
        free(s_blocks[--count]);
    }
    CHECK(esp_get_free_heap_size() == free_before);
    CHECK(esp_get_minimum_free_heap_size() < BLOCK_BYTES);
}

static void test_blocks(void)
{
    uint32_t free_before = esp_get_free_heap_size();
    char *text = strdup("a text");
    CHECK_TEXT(text, "a text");
    CHECK(heap_caps_get_allocated_size(text) >= sizeof "a text");
    text = realloc(text, 1000);
    CHECK(text != NULL && strcmp(text, "a text") == 0);
    CHECK(esp_get_free_heap_size() <= free_before - 600);
    free(text);
    CHECK(esp_get_free_heap_size() == free_before);
    volatile size_t huge = SIZE_MAX - 8;
    CHECK(malloc(huge) == NULL && calloc(huge, 4) == NULL);
    /* On the chip, a stack lies on the heap. */
    SemaphoreHandle_t word = xSemaphoreCreateBinary();
    free_before = esp_get_free_heap_size();
    CHECK(xTaskCreate(wait_for_word, "waits", STACK_BYTES, word, 5, NULL) == pdPASS);
    CHECK(free_before - esp_get_free_heap_size() >= STACK_BYTES);
    xSemaphoreGive(word);
    while (esp_get_free_heap_size() + STACK_BYTES / 2 < free_before) {
        vTaskDelay(1);
    }
}

void app_main(void)
{
    const char *name = getenv("TEST_CASE");
    s_done = xSemaphoreCreateBinary();
    if (strcmp(name, "overflow") == 0) {
        run(overflow, "prov");
    } else if (strcmp(name, "fill") == 0) {
        run(fill, "full");
    } else if (strcmp(name, "marks") == 0) {
        test_marks();
    } else {
        test_heap();
        test_blocks();
    }
    finish("memory");
}
