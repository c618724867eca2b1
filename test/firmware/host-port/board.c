/* The board around the chip: button, reset reason, restart, power. */
#include "driver/gpio.h"
#include "esp_mac.h"
#include "esp_system.h"
#include "program.h"

#define BUTTON 9
#define OTHER_PIN 10
#define MISSING_PIN 24 /* of an ESP32, which is what is played */
#define INPUT_ONLY_PIN 34

static SemaphoreHandle_t s_edge;

static void on_edge(void *arg)
{
    CHECK(arg == &s_edge);
    xSemaphoreGive(s_edge);
}

static void test_pins(void)
{
    gpio_config_t config = {.pin_bit_mask = 0, .mode = GPIO_MODE_INPUT};
    CHECK(gpio_config(&config) == ESP_ERR_INVALID_ARG);
    config.pin_bit_mask = 1ULL << MISSING_PIN;
    CHECK(gpio_config(&config) == ESP_ERR_INVALID_ARG);
    CHECK(gpio_set_direction(MISSING_PIN, GPIO_MODE_INPUT) == ESP_ERR_INVALID_ARG);
    config.pin_bit_mask = 1ULL << INPUT_ONLY_PIN;
    config.mode = GPIO_MODE_OUTPUT;
    CHECK(gpio_config(&config) == ESP_ERR_INVALID_ARG);
    CHECK(gpio_set_direction(INPUT_ONLY_PIN, GPIO_MODE_INPUT_OUTPUT) == ESP_ERR_INVALID_ARG);
    CHECK(gpio_set_direction(INPUT_ONLY_PIN, GPIO_MODE_INPUT) == ESP_OK);
    CHECK(gpio_set_level(INPUT_ONLY_PIN, 1) == ESP_ERR_INVALID_ARG);
    config.mode = GPIO_MODE_INPUT;
    CHECK(gpio_get_level(BUTTON) == 0); /* not an input yet */
    config.pin_bit_mask = 1ULL << BUTTON;
    config.pull_up_en = GPIO_PULLUP_ENABLE;
    config.intr_type = GPIO_INTR_ANYEDGE;
    CHECK(gpio_config(&config) == ESP_OK);
    CHECK(gpio_get_level(BUTTON) == 1); /* pulled up */
    CHECK(gpio_set_direction(OTHER_PIN, GPIO_MODE_INPUT_OUTPUT) == ESP_OK);
    CHECK(gpio_set_level(OTHER_PIN, 0) == ESP_OK && gpio_get_level(OTHER_PIN) == 0);
    CHECK(gpio_isr_handler_add(BUTTON, on_edge, &s_edge) == ESP_ERR_INVALID_STATE);
    CHECK(gpio_install_isr_service(0) == ESP_OK);
    CHECK(gpio_install_isr_service(0) == ESP_ERR_INVALID_STATE);
    CHECK(gpio_isr_handler_add(BUTTON, on_edge, &s_edge) == ESP_OK);
}

static void report_shutdown(void)
{
    REPORT("shutdown handler, %d failures", s_failures);
}

static void test_macs(void)
{
    uint8_t mac[6];
    CHECK(esp_read_mac(mac, ESP_MAC_WIFI_STA) == ESP_OK && mac[5] == 0);
    CHECK(esp_read_mac(mac, ESP_MAC_WIFI_SOFTAP) == ESP_OK && mac[5] == 1);
    CHECK(esp_read_mac(mac, ESP_MAC_EFUSE_CUSTOM) == ESP_ERR_NOT_SUPPORTED);
}

void app_main(void)
{
    s_edge = xSemaphoreCreateCounting(8, 0);
    test_pins();
    test_macs();
    CHECK(esp_register_shutdown_handler(report_shutdown) == ESP_OK);
    CHECK(esp_register_shutdown_handler(report_shutdown) == ESP_ERR_INVALID_STATE);
    REPORT("reset reason %d", esp_reset_reason());
    for (;;) {
        xSemaphoreTake(s_edge, portMAX_DELAY);
        int level = gpio_get_level(BUTTON);
        REPORT("level %d", level);
        if (level == 1) {
            esp_restart();
        }
    }
}
