/* esp_timer: microsecond timers, callbacks in the esp_timer task. */
#include "esp_timer.h"

#include <stdlib.h>

#include "host_stack.h"
#include "host_timer.h"

#define TASK_STACK (3584 + HOST_TASK_EXTRA_STACK) /* CONFIG_ESP_TIMER_TASK_STACK_SIZE */
#define MIN_PERIOD_US 50 /* ESP-IDF takes less for that */

struct esp_timer {
    host_timer_t timer;
};

static host_timer_service_t s_service;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

static void start_service(void)
{
    host_timer_service_start(&s_service, "esp_timer", TASK_STACK);
}

int64_t esp_timer_get_time(void)
{
    return host_uptime_us();
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args,
                           esp_timer_handle_t *out_handle)
{
    if (create_args == NULL || create_args->callback == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    pthread_once(&s_once, start_service);
    esp_timer_handle_t timer = calloc(1, sizeof *timer);
    if (timer == NULL) {
        return ESP_ERR_NO_MEM;
    }
    timer->timer.callback = create_args->callback;
    timer->timer.arg = create_args->arg;
    *out_handle = timer;
    return ESP_OK;
}

static esp_err_t start(esp_timer_handle_t timer, uint64_t delay_us, uint64_t period_us)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    bool is_started = host_timer_arm(&s_service, &timer->timer, delay_us, period_us, false);
    return is_started ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t timeout_us)
{
    return start(timer, timeout_us, 0);
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period_us)
{
    period_us = period_us < MIN_PERIOD_US ? MIN_PERIOD_US : period_us;
    return start(timer, period_us, period_us);
}

esp_err_t esp_timer_stop(esp_timer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return host_timer_disarm(&s_service, &timer->timer) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_timer_delete(esp_timer_handle_t timer)
{
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (host_timer_is_armed(&s_service, &timer->timer)) {
        return ESP_ERR_INVALID_STATE;
    }
    free(timer);
    return ESP_OK;
}

bool esp_timer_is_active(esp_timer_handle_t timer)
{
    return timer != NULL && host_timer_is_armed(&s_service, &timer->timer);
}
