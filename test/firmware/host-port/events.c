/* The default event loop: order, selection, removal, limits. */
#include "program.h"

ESP_EVENT_DEFINE_BASE(TEST_EVENT);
ESP_EVENT_DEFINE_BASE(OTHER_EVENT);

static char s_calls[64];
static SemaphoreHandle_t s_done;
static SemaphoreHandle_t s_entered;
static SemaphoreHandle_t s_release;
static esp_event_handler_instance_t s_self;

static void note(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    (void)id;
    (void)data;
    strncat(s_calls, arg, sizeof s_calls - strlen(s_calls) - 1);
}

static void note_done(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    note(arg, base, id, data);
    xSemaphoreGive(s_done);
}

static void remove_itself(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    note(arg, base, id, data);
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, 2, s_self) == ESP_OK);
}

static void check_data(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)id;
    CHECK(base == TEST_EVENT);
    CHECK(*(int *)data == 42);
    xSemaphoreGive(s_done);
}

static void block(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)id;
    (void)data;
    xSemaphoreGive(s_entered);
    xSemaphoreTake(s_release, portMAX_DELAY);
}

static void release_later(void *arg)
{
    (void)arg;
    vTaskDelay(pdMS_TO_TICKS(50));
    xSemaphoreGive(s_release);
    vTaskDelete(NULL);
}

static esp_event_handler_instance_t add(esp_event_base_t base, int32_t id,
                                        esp_event_handler_t handler, void *arg)
{
    esp_event_handler_instance_t instance = NULL;
    CHECK(esp_event_handler_instance_register(base, id, handler, arg, &instance) == ESP_OK);
    return instance;
}

static void post_and_wait(int32_t id)
{
    s_calls[0] = '\0';
    CHECK(esp_event_post(TEST_EVENT, id, NULL, 0, portMAX_DELAY) == ESP_OK);
    CHECK(xSemaphoreTake(s_done, portMAX_DELAY) == pdTRUE);
}

static void test_order_and_selection(void)
{
    add(TEST_EVENT, 1, note, "c");
    add(TEST_EVENT, ESP_EVENT_ANY_ID, note, "b");
    add(ESP_EVENT_ANY_BASE, ESP_EVENT_ANY_ID, note, "a");
    add(OTHER_EVENT, ESP_EVENT_ANY_ID, note, "x");
    esp_event_handler_instance_t last = add(TEST_EVENT, 1, note_done, "d");
    post_and_wait(1);
    CHECK_TEXT(s_calls, "abcd");
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, 1, last) == ESP_OK);
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, 1, last) == ESP_ERR_NOT_FOUND);
    CHECK(esp_event_handler_unregister(TEST_EVENT, 1, note) == ESP_OK);
    CHECK(esp_event_handler_unregister(TEST_EVENT, 1, note) == ESP_ERR_NOT_FOUND);
}

static void test_removing_itself(void)
{
    s_self = add(TEST_EVENT, 2, remove_itself, "s");
    add(TEST_EVENT, 2, note_done, "d");
    post_and_wait(2);
    CHECK_TEXT(s_calls, "absd");
    post_and_wait(2);
    CHECK_TEXT(s_calls, "abd");
}

static void test_data_is_copied(void)
{
    add(TEST_EVENT, 3, check_data, NULL);
    int value = 42;
    CHECK(esp_event_post(TEST_EVENT, 3, &value, sizeof value, portMAX_DELAY) == ESP_OK);
    value = 0;
    CHECK(xSemaphoreTake(s_done, portMAX_DELAY) == pdTRUE);
}

static void test_full_queue_and_waiting_removal(void)
{
    s_entered = xSemaphoreCreateBinary();
    s_release = xSemaphoreCreateBinary();
    esp_event_handler_instance_t blocker = add(TEST_EVENT, 4, block, NULL);
    CHECK(esp_event_post(TEST_EVENT, 4, NULL, 0, portMAX_DELAY) == ESP_OK);
    CHECK(xSemaphoreTake(s_entered, portMAX_DELAY) == pdTRUE);
    for (int i = 0; i < 32; i++) {
        CHECK(esp_event_post(TEST_EVENT, 5, NULL, 0, 0) == ESP_OK);
    }
    CHECK(esp_event_post(TEST_EVENT, 5, NULL, 0, 0) == ESP_ERR_TIMEOUT);
    /* The handler runs: removing it from here waits until it is done. */
    CHECK(xTaskCreate(release_later, "release", 2048, NULL, 5, NULL) == pdPASS);
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, 4, blocker) == ESP_OK);
    CHECK(uxSemaphoreGetCount(s_release) == 0);
}

static void test_same_handler_again(void)
{
    esp_event_handler_t again = note;
    CHECK(esp_event_handler_register(TEST_EVENT, 6, again, "first") == ESP_OK);
    CHECK(esp_event_handler_register(TEST_EVENT, 6, again, "e") == ESP_OK); /* in its place */
    esp_event_handler_instance_t second = add(TEST_EVENT, 6, again, "f");
    esp_event_handler_instance_t last = add(TEST_EVENT, 6, note_done, "d");
    post_and_wait(6);
    CHECK_TEXT(s_calls, "abefd");
    CHECK(esp_event_handler_unregister(TEST_EVENT, 6, again) == ESP_OK);
    post_and_wait(6);
    CHECK_TEXT(s_calls, "abfd");
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, 6, second) == ESP_OK);
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, 6, last) == ESP_OK);
}

/* A base is where it lies, not what it is called. */
static void test_base_is_its_address(void)
{
    static const char TWIN[] = "TEST_EVENT";
    esp_event_handler_instance_t twin = add(TWIN, ESP_EVENT_ANY_ID, note, "t");
    esp_event_handler_instance_t last = add(TEST_EVENT, 7, note_done, "d");
    post_and_wait(7);
    CHECK_TEXT(s_calls, "abd");
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, ESP_EVENT_ANY_ID, twin) == ESP_ERR_NOT_FOUND);
    CHECK(esp_event_handler_instance_unregister(TWIN, ESP_EVENT_ANY_ID, twin) == ESP_OK);
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, 7, last) == ESP_OK);
}

/* In the loop's own task nobody makes room meanwhile: whatever the patience, a full queue is an error at once. */
static void post_too_much(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    note(arg, base, id, data);
    for (int i = 0; i < 32; i++) {
        CHECK(esp_event_post(OTHER_EVENT, 9, NULL, 0, portMAX_DELAY) == ESP_OK);
    }
    CHECK(esp_event_post(OTHER_EVENT, 9, NULL, 0, portMAX_DELAY) == ESP_ERR_TIMEOUT);
    xSemaphoreGive(s_done);
}

static void test_handler_does_not_wait_for_itself(void)
{
    esp_event_handler_instance_t handler = add(TEST_EVENT, 8, post_too_much, "p");
    post_and_wait(8);
    CHECK(esp_event_handler_instance_unregister(TEST_EVENT, 8, handler) == ESP_OK);
}

void app_main(void)
{
    CHECK(esp_event_post(TEST_EVENT, 1, NULL, 0, 0) == ESP_ERR_INVALID_STATE);
    CHECK(esp_event_handler_unregister(TEST_EVENT, 1, note) == ESP_ERR_INVALID_STATE);
    CHECK(esp_event_handler_instance_register(TEST_EVENT, 1, note, NULL, NULL) ==
          ESP_ERR_INVALID_STATE);
    CHECK(esp_event_loop_create_default() == ESP_OK);
    CHECK(esp_event_loop_create_default() == ESP_ERR_INVALID_STATE);
    s_done = xSemaphoreCreateBinary();
    test_order_and_selection();
    test_removing_itself();
    test_data_is_copied();
    test_same_handler_again();
    test_base_is_its_address();
    test_handler_does_not_wait_for_itself();
    CHECK(esp_event_handler_unregister(ESP_EVENT_ANY_BASE, 1, note) == ESP_ERR_INVALID_ARG);
    test_full_queue_and_waiting_removal();
    finish("events");
}
