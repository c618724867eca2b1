/* GPIO pins. An input nobody drives reads 1: on the boards in question buttons are pulled up. */
#include "driver/gpio.h"

#include <pthread.h>

#include "host_env.h"
#include "host_gpio.h"

typedef struct {
    bool is_driven;
    int outside; /* the level driven from outside */
    int output;  /* the level the firmware set */
    bool is_pulled_down;
    gpio_mode_t mode;
    gpio_int_type_t edge;
    gpio_isr_t handler;
    void *handler_arg;
} pin_t;

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pin_t s_pins[GPIO_NUM_MAX];
static bool s_has_isr_service;

static bool is_pin(gpio_num_t gpio_num)
{
    return gpio_num >= 0 && gpio_num < GPIO_NUM_MAX && (host_env()->chip->pins >> gpio_num & 1) != 0;
}

static bool is_output_pin(gpio_num_t gpio_num)
{
    return is_pin(gpio_num) && (host_env()->chip->inputs >> gpio_num & 1) == 0;
}

/* With s_lock held. */
static int level_of(const pin_t *pin)
{
    if (pin->is_driven) {
        return pin->outside;
    }
    if (pin->mode & GPIO_MODE_OUTPUT) {
        return pin->output;
    }
    return pin->is_pulled_down ? 0 : 1;
}

esp_err_t gpio_config(const gpio_config_t *pGPIOConfig)
{
    if (pGPIOConfig == NULL || pGPIOConfig->pin_bit_mask == 0 ||
        (pGPIOConfig->pin_bit_mask & ~host_env()->chip->pins) != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if ((pGPIOConfig->mode & GPIO_MODE_OUTPUT) != 0 &&
        (pGPIOConfig->pin_bit_mask & host_env()->chip->inputs) != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    pthread_mutex_lock(&s_lock);
    for (int i = 0; i < GPIO_NUM_MAX; i++) {
        if (pGPIOConfig->pin_bit_mask & (1ULL << i)) {
            s_pins[i].mode = pGPIOConfig->mode;
            s_pins[i].edge = pGPIOConfig->intr_type;
            s_pins[i].is_pulled_down = pGPIOConfig->pull_down_en == GPIO_PULLDOWN_ENABLE &&
                                       pGPIOConfig->pull_up_en == GPIO_PULLUP_DISABLE;
        }
    }
    pthread_mutex_unlock(&s_lock);
    return ESP_OK;
}

esp_err_t gpio_set_direction(gpio_num_t gpio_num, gpio_mode_t mode)
{
    if ((mode & GPIO_MODE_OUTPUT) != 0 ? !is_output_pin(gpio_num) : !is_pin(gpio_num)) {
        return ESP_ERR_INVALID_ARG;
    }
    pthread_mutex_lock(&s_lock);
    s_pins[gpio_num].mode = mode;
    pthread_mutex_unlock(&s_lock);
    return ESP_OK;
}

esp_err_t gpio_set_level(gpio_num_t gpio_num, uint32_t level)
{
    if (!is_output_pin(gpio_num)) {
        return ESP_ERR_INVALID_ARG;
    }
    pthread_mutex_lock(&s_lock);
    s_pins[gpio_num].output = level != 0;
    pthread_mutex_unlock(&s_lock);
    return ESP_OK;
}

int gpio_get_level(gpio_num_t gpio_num)
{
    if (!is_pin(gpio_num)) {
        return 0;
    }
    pthread_mutex_lock(&s_lock);
    const pin_t *pin = &s_pins[gpio_num];
    int level = (pin->mode & GPIO_MODE_INPUT) ? level_of(pin) : 0;
    pthread_mutex_unlock(&s_lock);
    return level;
}

esp_err_t gpio_install_isr_service(int intr_alloc_flags)
{
    (void)intr_alloc_flags;
    pthread_mutex_lock(&s_lock);
    bool was_installed = s_has_isr_service;
    s_has_isr_service = true;
    pthread_mutex_unlock(&s_lock);
    return was_installed ? ESP_ERR_INVALID_STATE : ESP_OK;
}

esp_err_t gpio_isr_handler_add(gpio_num_t gpio_num, gpio_isr_t isr_handler, void *args)
{
    if (!is_pin(gpio_num)) {
        return ESP_ERR_INVALID_ARG;
    }
    pthread_mutex_lock(&s_lock);
    bool is_installed = s_has_isr_service;
    if (is_installed) {
        s_pins[gpio_num].handler = isr_handler;
        s_pins[gpio_num].handler_arg = args;
    }
    pthread_mutex_unlock(&s_lock);
    return is_installed ? ESP_OK : ESP_ERR_INVALID_STATE;
}

static bool is_wanted_edge(gpio_int_type_t edge, int before, int after)
{
    switch (edge) {
    case GPIO_INTR_POSEDGE:
        return after > before;
    case GPIO_INTR_NEGEDGE:
        return after < before;
    case GPIO_INTR_ANYEDGE:
        return after != before;
    default:
        return false;
    }
}

bool host_gpio_drive(unsigned pin, int level)
{
    if (pin >= GPIO_NUM_MAX) {
        return false;
    }
    pthread_mutex_lock(&s_lock);
    pin_t *driven = &s_pins[pin];
    int before = level_of(driven);
    driven->is_driven = true;
    driven->outside = level;
    gpio_isr_t handler = is_wanted_edge(driven->edge, before, level) ? driven->handler : NULL;
    void *arg = driven->handler_arg;
    pthread_mutex_unlock(&s_lock);
    if (handler != NULL) {
        handler(arg);
    }
    return true;
}
