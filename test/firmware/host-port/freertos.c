/* Queues, semaphores, event groups, notifications and timers, with their time limits. */
#include "esp_timer.h"
#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "freertos/timers.h"
#include "program.h"

static QueueHandle_t s_queue;
static EventGroupHandle_t s_group;
static SemaphoreHandle_t s_mutex;
static SemaphoreHandle_t s_fired;
static int s_count;

static int64_t elapsed_ms(int64_t since_us)
{
    return (esp_timer_get_time() - since_us) / 1000;
}

static void test_queue_order(void)
{
    s_queue = xQueueCreate(3, sizeof(int));
    for (int i = 1; i <= 2; i++) {
        CHECK(xQueueSend(s_queue, &i, 0) == pdTRUE);
    }
    int urgent = 9;
    CHECK(xQueueSendToFront(s_queue, &urgent, 0) == pdTRUE);
    CHECK(uxQueueMessagesWaiting(s_queue) == 3 && uxQueueSpacesAvailable(s_queue) == 0);
    int got = 0;
    CHECK(xQueuePeek(s_queue, &got, 0) == pdTRUE && got == 9);
    CHECK(xQueueReceive(s_queue, &got, 0) == pdTRUE && got == 9);
    CHECK(xQueueReceive(s_queue, &got, 0) == pdTRUE && got == 1);
    CHECK(xQueueReceive(s_queue, &got, 0) == pdTRUE && got == 2);
}

static void test_queue_limits(void)
{
    int value = 7;
    int64_t start = esp_timer_get_time();
    CHECK(xQueueReceive(s_queue, &value, pdMS_TO_TICKS(50)) == errQUEUE_EMPTY);
    CHECK(elapsed_ms(start) >= 50);
    for (int i = 0; i < 3; i++) {
        CHECK(xQueueSend(s_queue, &value, 0) == pdTRUE);
    }
    start = esp_timer_get_time();
    CHECK(xQueueSend(s_queue, &value, pdMS_TO_TICKS(30)) == errQUEUE_FULL);
    CHECK(elapsed_ms(start) >= 30);
    CHECK(xQueueReset(s_queue) == pdPASS && uxQueueMessagesWaiting(s_queue) == 0);
    QueueHandle_t single = xQueueCreate(1, sizeof(int));
    int newer = 8;
    CHECK(xQueueOverwrite(single, &value) == pdPASS && xQueueOverwrite(single, &newer) == pdPASS);
    CHECK(xQueueReceive(single, &value, 0) == pdTRUE && value == 8);
    vQueueDelete(single);
}

static void send_many(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        CHECK(xQueueSend(s_queue, &i, portMAX_DELAY) == pdTRUE);
    }
    xSemaphoreGive((SemaphoreHandle_t)arg);
    vTaskDelete(NULL);
}

static void test_two_tasks(void)
{
    SemaphoreHandle_t sent = xSemaphoreCreateBinary();
    CHECK(xTaskCreate(send_many, "sender", 2048, sent, 5, NULL) == pdPASS);
    for (int expected = 0; expected < 1000; expected++) {
        int got = -1;
        xQueueReceive(s_queue, &got, portMAX_DELAY);
        if (got != expected) {
            CHECK(got == expected);
            break;
        }
    }
    CHECK(xSemaphoreTake(sent, portMAX_DELAY) == pdTRUE);
}

static void test_semaphores(void)
{
    SemaphoreHandle_t binary = xSemaphoreCreateBinary();
    CHECK(xSemaphoreTake(binary, 0) == pdFALSE);
    CHECK(xSemaphoreGive(binary) == pdTRUE && xSemaphoreGive(binary) == pdFALSE);
    CHECK(xSemaphoreTake(binary, 0) == pdTRUE);
    s_mutex = xSemaphoreCreateMutex();
    CHECK(xSemaphoreTake(s_mutex, 0) == pdTRUE);
    CHECK(xSemaphoreTake(s_mutex, pdMS_TO_TICKS(20)) == pdFALSE);
    CHECK(xSemaphoreGive(s_mutex) == pdTRUE);
    SemaphoreHandle_t recursive = xSemaphoreCreateRecursiveMutex();
    CHECK(xSemaphoreTakeRecursive(recursive, 0) == pdTRUE);
    CHECK(xSemaphoreTakeRecursive(recursive, 0) == pdTRUE);
    CHECK(xSemaphoreGiveRecursive(recursive) == pdTRUE && uxSemaphoreGetCount(recursive) == 0);
    CHECK(xSemaphoreGiveRecursive(recursive) == pdTRUE && uxSemaphoreGetCount(recursive) == 1);
    SemaphoreHandle_t counting = xSemaphoreCreateCounting(2, 1);
    CHECK(xSemaphoreGive(counting) == pdTRUE && xSemaphoreGive(counting) == pdFALSE);
    vSemaphoreDelete(counting);
    vSemaphoreDelete(recursive);
    vSemaphoreDelete(binary);
}

static void set_bits(void *arg)
{
    (void)arg;
    xEventGroupSetBits(s_group, BIT0);
    xEventGroupSetBits(s_group, BIT1);
    vTaskDelete(NULL);
}

static void test_event_group(void)
{
    s_group = xEventGroupCreate();
    CHECK(xEventGroupWaitBits(s_group, BIT0, pdFALSE, pdTRUE, 1) == 0);
    CHECK(xTaskCreate(set_bits, "bits", 2048, NULL, 5, NULL) == pdPASS);
    EventBits_t bits = xEventGroupWaitBits(s_group, BIT0 | BIT1, pdTRUE, pdTRUE, portMAX_DELAY);
    CHECK(bits == (BIT0 | BIT1));
    CHECK(xEventGroupGetBits(s_group) == 0);
}

static void notify(void *arg)
{
    for (int i = 0; i < 3; i++) {
        xTaskNotifyGive((TaskHandle_t)arg);
    }
    vTaskDelete(NULL);
}

static void test_notifications(void)
{
    CHECK(ulTaskNotifyTake(pdTRUE, 1) == 0);
    CHECK(xTaskCreate(notify, "notify", 2048, xTaskGetCurrentTaskHandle(), 5, NULL) == pdPASS);
    uint32_t total = 0;
    while (total < 3) {
        total += ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
    CHECK(total == 3);
}

static void count_timer(void *arg)
{
    (void)arg;
    xSemaphoreTake(s_mutex, portMAX_DELAY);
    s_count++;
    xSemaphoreGive(s_mutex);
    xSemaphoreGive(s_fired);
}

static void count_software_timer(TimerHandle_t timer)
{
    CHECK_TEXT((const char *)pvTimerGetTimerID(timer), "id");
    count_timer(NULL);
}

static void test_esp_timer(void)
{
    s_fired = xSemaphoreCreateCounting(100, 0);
    esp_timer_create_args_t args = {.callback = count_timer, .name = "test"};
    esp_timer_handle_t timer;
    CHECK(esp_timer_create(&args, &timer) == ESP_OK);
    CHECK(esp_timer_stop(timer) == ESP_ERR_INVALID_STATE);
    int64_t start = esp_timer_get_time();
    CHECK(esp_timer_start_once(timer, 20000) == ESP_OK);
    CHECK(esp_timer_start_once(timer, 20000) == ESP_ERR_INVALID_STATE);
    CHECK(esp_timer_delete(timer) == ESP_ERR_INVALID_STATE);
    CHECK(xSemaphoreTake(s_fired, portMAX_DELAY) == pdTRUE && elapsed_ms(start) >= 20);
    CHECK(!esp_timer_is_active(timer));
    CHECK(esp_timer_start_periodic(timer, 5000) == ESP_OK);
    for (int i = 0; i < 3; i++) {
        CHECK(xSemaphoreTake(s_fired, portMAX_DELAY) == pdTRUE);
    }
    CHECK(esp_timer_stop(timer) == ESP_OK && esp_timer_delete(timer) == ESP_OK);
}

static void test_software_timer(void)
{
    s_fired = xSemaphoreCreateCounting(100, 0);
    TimerHandle_t timer = xTimerCreate("soft", 1, pdFALSE, "id", count_software_timer);
    CHECK(xTimerStart(timer, 0) == pdPASS);
    CHECK(xSemaphoreTake(s_fired, portMAX_DELAY) == pdTRUE);
    CHECK(xTimerIsTimerActive(timer) == pdFALSE);
    CHECK(xTimerDelete(timer, 0) == pdPASS);
}

void app_main(void)
{
    CHECK(pdMS_TO_TICKS(5) == 0 && pdMS_TO_TICKS(1000) == 100);
    test_queue_order();
    test_queue_limits();
    test_two_tasks();
    test_semaphores();
    test_event_group();
    test_notifications();
    test_esp_timer();
    test_software_timer();
    finish("freertos");
}
