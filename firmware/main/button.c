#include "button.h"

#include "driver/gpio.h"
#include "esp_log.h"
#include "sdkconfig.h"

static const char *TAG = "button";
static bool s_enabled;
static int64_t s_down_since_ms; /* 0 = up */
static bool s_reported;

void button_init(void)
{
    const gpio_config_t config = {
        .pin_bit_mask = 1ULL << CONFIG_PROV_BUTTON_GPIO,
        .mode = GPIO_MODE_INPUT,
        .pull_up_en = GPIO_PULLUP_ENABLE,
        .pull_down_en = GPIO_PULLDOWN_DISABLE,
        .intr_type = GPIO_INTR_DISABLE,
    };
    s_enabled = gpio_config(&config) == ESP_OK;
    if (!s_enabled) {
        ESP_LOGW(TAG, "GPIO %d cannot be read", CONFIG_PROV_BUTTON_GPIO);
        return;
    }
    /* A pin that something holds down would reset the device at every start: only what was up can be pressed. */
    s_reported = gpio_get_level((gpio_num_t)CONFIG_PROV_BUTTON_GPIO) == 0;
    if (s_reported) {
        ESP_LOGW(TAG, "GPIO %d is down from the start, which is not taken for a press", CONFIG_PROV_BUTTON_GPIO);
    }
}

bool button_poll(int64_t now_ms)
{
    /* The button pulls the pin to ground. */
    if (!s_enabled || gpio_get_level((gpio_num_t)CONFIG_PROV_BUTTON_GPIO) != 0) {
        s_down_since_ms = 0;
        s_reported = false;
        return false;
    }
    if (s_down_since_ms == 0) {
        s_down_since_ms = now_ms;
    }
    if (s_reported || now_ms - s_down_since_ms < CONFIG_PROV_BUTTON_HOLD_MS) {
        return false;
    }
    s_reported = true;
    ESP_LOGW(TAG, "held down: resetting to the factory state");
    return true;
}
