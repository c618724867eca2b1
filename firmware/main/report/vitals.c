#include "vitals.h"

#include "device_clock.h"
#include "esp_system.h"

/** Those that ESP-IDF 5.0 knows; later ones came with chips that 5.0 does not. */
static const char *reset_reason_name(esp_reset_reason_t reason)
{
    switch (reason) {
    case ESP_RST_POWERON:
        return "power_on";
    case ESP_RST_EXT:
        return "external";
    case ESP_RST_SW:
        return "software";
    case ESP_RST_PANIC:
        return "panic";
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return "watchdog";
    case ESP_RST_DEEPSLEEP:
        return "deep_sleep";
    case ESP_RST_BROWNOUT:
        return "brownout";
    default:
        return "other";
    }
}

void vitals_read(status_vitals_t *vitals)
{
    vitals->uptime_s = (uint32_t)(device_clock_uptime_ms() / 1000);
    vitals->heap_free = esp_get_free_heap_size();
    vitals->heap_min = esp_get_minimum_free_heap_size();
    vitals->reset_reason = reset_reason_name(esp_reset_reason());
}
