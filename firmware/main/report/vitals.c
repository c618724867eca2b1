#include "vitals.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "device_clock.h"
#include "esp_log.h"
#include "esp_system.h"

static const char *TAG = "vitals";

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

/** Whenever a task has come further down its stack than the log tells. */
static void log_room(const status_vitals_t *vitals)
{
    static uint32_t s_logged[STACK_MARK_COUNT];
    char line[STACK_MARK_COUNT * 24] = "";
    size_t length = 0;
    bool is_news = false;
    for (stack_mark_t task = 0; task < STACK_MARK_COUNT; task++) {
        is_news |= vitals->stack_min[task] != s_logged[task];
        s_logged[task] = vitals->stack_min[task];
        if (vitals->stack_min[task] > 0) {
            length += (size_t)snprintf(line + length, sizeof line - length, "%s%s %" PRIu32, length > 0 ? ", " : "",
                                       stack_marks_name(task), vitals->stack_min[task]);
        }
    }
    if (is_news) {
        ESP_LOGI(TAG, "heap free %" PRIu32 ", least %" PRIu32 "; never used of the stacks: %s", vitals->heap_free,
                 vitals->heap_min, line);
    }
}

void vitals_read(status_vitals_t *vitals)
{
    vitals->uptime_s = (uint32_t)(device_clock_uptime_ms() / 1000);
    vitals->heap_free = esp_get_free_heap_size();
    vitals->heap_min = esp_get_minimum_free_heap_size();
    for (stack_mark_t task = 0; task < STACK_MARK_COUNT; task++) {
        vitals->stack_min[task] = stack_marks_least(task);
    }
    log_room(vitals);
    vitals->reset_reason = reset_reason_name(esp_reset_reason());
}
