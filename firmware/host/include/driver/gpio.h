/* GPIO inputs, set by `gpio <n> <level>` on the control descriptor; outputs read back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_bit_defs.h"
#include "esp_err.h"

/* Enough for every chip; the numbers are the chip's. */
typedef enum {
    GPIO_NUM_NC = -1,
    GPIO_NUM_0 = 0,
    GPIO_NUM_1,
    GPIO_NUM_2,
    GPIO_NUM_3,
    GPIO_NUM_4,
    GPIO_NUM_5,
    GPIO_NUM_6,
    GPIO_NUM_7,
    GPIO_NUM_8,
    GPIO_NUM_9,
    GPIO_NUM_28 = 28,
    GPIO_NUM_MAX = 64,
} gpio_num_t;

typedef enum {
    GPIO_INTR_DISABLE = 0,
    GPIO_INTR_POSEDGE = 1,
    GPIO_INTR_NEGEDGE = 2,
    GPIO_INTR_ANYEDGE = 3,
    GPIO_INTR_LOW_LEVEL = 4,
    GPIO_INTR_HIGH_LEVEL = 5,
    GPIO_INTR_MAX,
} gpio_int_type_t;

typedef enum {
    GPIO_MODE_DISABLE = 0,
    GPIO_MODE_INPUT = BIT0,
    GPIO_MODE_OUTPUT = BIT1,
    GPIO_MODE_OUTPUT_OD = BIT1 | BIT2,
    GPIO_MODE_INPUT_OUTPUT_OD = BIT0 | BIT1 | BIT2,
    GPIO_MODE_INPUT_OUTPUT = BIT0 | BIT1,
} gpio_mode_t;

typedef enum {
    GPIO_PULLUP_DISABLE = 0x0,
    GPIO_PULLUP_ENABLE = 0x1,
} gpio_pullup_t;

typedef enum {
    GPIO_PULLDOWN_DISABLE = 0x0,
    GPIO_PULLDOWN_ENABLE = 0x1,
} gpio_pulldown_t;

typedef struct {
    uint64_t pin_bit_mask;
    gpio_mode_t mode;
    gpio_pullup_t pull_up_en;
    gpio_pulldown_t pull_down_en;
    gpio_int_type_t intr_type;
} gpio_config_t;

typedef void (*gpio_isr_t)(void *arg);

/** ESP_ERR_INVALID_ARG for an empty mask or a pin that does not exist. */
esp_err_t gpio_config(const gpio_config_t *pGPIOConfig);
esp_err_t gpio_set_direction(gpio_num_t gpio_num, gpio_mode_t mode);
esp_err_t gpio_set_level(gpio_num_t gpio_num, uint32_t level);
/** 0 or 1; 0 when the pin is not an input, as on the chip. */
int gpio_get_level(gpio_num_t gpio_num);
/** ESP_ERR_INVALID_STATE when installed already. */
esp_err_t gpio_install_isr_service(int intr_alloc_flags);
/** ESP_ERR_INVALID_STATE without the service. Handlers run on the control thread, on edges only. */
esp_err_t gpio_isr_handler_add(gpio_num_t gpio_num, gpio_isr_t isr_handler, void *args);
