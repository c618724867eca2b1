/* A press, and what only looks like one: a pin that something holds down, at this start and at every other. */
#include "button.h"
#include "check.h"
#include "driver/gpio.h"
#include "esp_log.h"
#include "sdkconfig.h"

static int s_level;
static bool s_is_pin;

esp_err_t gpio_config(const gpio_config_t *pGPIOConfig)
{
    CHECK(pGPIOConfig->pin_bit_mask == 1ULL << CONFIG_PROV_BUTTON_GPIO);
    CHECK(pGPIOConfig->pull_up_en == GPIO_PULLUP_ENABLE);
    return s_is_pin ? ESP_OK : ESP_ERR_INVALID_ARG;
}

int gpio_get_level(gpio_num_t gpio_num)
{
    CHECK(gpio_num == (gpio_num_t)CONFIG_PROV_BUTTON_GPIO);
    return s_level;
}

void esp_log_host_line(esp_log_level_t level, const char *tag, const char *format, ...)
{
    (void)tag;
    (void)format;
    CHECK(level == ESP_LOG_WARN);
}

static void start(int level)
{
    s_level = level;
    button_init();
}

/** How often it was a press from `from_ms` to `to_ms`. */
static int presses(int level, int64_t from_ms, int64_t to_ms)
{
    int count = 0;
    s_level = level;
    for (int64_t now_ms = from_ms; now_ms <= to_ms; now_ms += BUTTON_POLL_MS) {
        count += button_poll(now_ms);
    }
    return count;
}

int main(void)
{
    s_is_pin = true;
    start(1);
    CHECK(presses(1, 100, 1000) == 0);
    CHECK(presses(0, 1100, 1000 + CONFIG_PROV_BUTTON_HOLD_MS) == 0); /* let go too early */
    CHECK(presses(1, 10100, 10200) == 0);
    CHECK(presses(0, 10300, 60000) == 1); /* once, however long it is held */

    start(0);
    CHECK(presses(0, 100, 60000) == 0); /* or it would reset the device at every start */
    CHECK(presses(1, 60100, 60200) == 0);
    CHECK(presses(0, 60300, 70000) == 1); /* it is a button after all */

    s_is_pin = false;
    start(0);
    CHECK(presses(0, 100, 60000) == 0);
    return check_result("button");
}
