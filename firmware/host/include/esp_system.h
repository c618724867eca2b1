/* Restart, reset reason, heap figures. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_bit_defs.h"
#include "esp_err.h"
#include "esp_idf_version.h"

typedef enum {
    ESP_RST_UNKNOWN,
    ESP_RST_POWERON,
    ESP_RST_EXT,
    ESP_RST_SW,
    ESP_RST_PANIC,
    ESP_RST_INT_WDT,
    ESP_RST_TASK_WDT,
    ESP_RST_WDT,
    ESP_RST_DEEPSLEEP,
    ESP_RST_BROWNOUT,
    ESP_RST_SDIO,
    ESP_RST_USB,
    ESP_RST_JTAG,
    ESP_RST_EFUSE,
    ESP_RST_PWR_GLITCH,
    ESP_RST_CPU_LOCKUP,
} esp_reset_reason_t;

typedef void (*shutdown_handler_t)(void);

/** Have `handle` called by esp_restart, last registered first. At most 5. */
esp_err_t esp_register_shutdown_handler(shutdown_handler_t handle);

/** Restart the chip: the process ends with status 88 and the virtual board boots it again. */
void esp_restart(void) __attribute__((__noreturn__));

/** Why the chip booted; from PROV_HOST_RESET_REASON. */
esp_reset_reason_t esp_reset_reason(void);

/** In bytes of the chip; see host_heap.h. */
uint32_t esp_get_free_heap_size(void);
uint32_t esp_get_minimum_free_heap_size(void);
