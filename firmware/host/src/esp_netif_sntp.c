/*
 * SNTP: once the link is up and names resolve, "the server" answers with the kernel's time after
 * about 50 ms, unless the air blocks it. Only the first synchronisation is modelled.
 */
#include "esp_netif_sntp.h"

#include <stdlib.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host_air.h"
#include "host_clock.h"
#include "host_link.h"
#include "host_monitor.h"
#include "host_stack.h"

#define ANSWER_MS 50

static host_monitor_t s_monitor;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

/* Guarded by s_monitor. */
static bool s_is_init;
static bool s_is_task_running;
static bool s_is_synchronised;
static bool s_is_wait_wanted;
static bool s_is_news; /* that nobody has waited for yet: ESP-IDF has a binary semaphore for it */
static esp_sntp_time_cb_t s_callback;

static void init_monitor(void)
{
    host_monitor_init(&s_monitor);
}

static void lock(void)
{
    pthread_once(&s_once, init_monitor);
    host_monitor_lock(&s_monitor);
}

static bool does_server_answer(void)
{
    host_link_t link = host_link_get();
    return link.is_up && link.does_resolve && !host_air_is_sntp_blocked();
}

/* With s_monitor locked. */
static void synchronise(void)
{
    int64_t now_us = host_clock_true_time_us();
    host_clock_set_us(now_us);
    s_is_synchronised = true;
    s_is_news = true;
    host_monitor_notify(&s_monitor);
    esp_sntp_time_cb_t callback = s_callback;
    if (callback != NULL) {
        struct timeval now = {.tv_sec = (time_t)(now_us / 1000000),
                              .tv_usec = (suseconds_t)(now_us % 1000000)};
        host_monitor_unlock(&s_monitor);
        callback(&now);
        host_monitor_lock(&s_monitor);
    }
}

static void poll_server(void *argument)
{
    (void)argument;
    lock();
    while (s_is_init && !s_is_synchronised) {
        int64_t answer_us = host_uptime_us() + ANSWER_MS * 1000;
        while (s_is_init && host_monitor_wait_until(&s_monitor, answer_us)) {
        }
        if (s_is_init && does_server_answer()) {
            synchronise();
        }
    }
    s_is_task_running = false;
    host_monitor_notify(&s_monitor);
    host_monitor_unlock(&s_monitor);
    vTaskDelete(NULL);
}

/* With s_monitor locked. */
static esp_err_t start_task(void)
{
    if (s_is_task_running) {
        return ESP_OK;
    }
    s_is_task_running = xTaskCreate(poll_server, "sntp", HOST_OWN_STACK, NULL, 3, NULL) == pdPASS;
    return s_is_task_running ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t esp_netif_sntp_init(const esp_sntp_config_t *config)
{
    if (config == NULL || (config->num_of_servers > 0 && config->servers[0] == NULL)) {
        return ESP_ERR_INVALID_ARG;
    }
    lock();
    esp_err_t err = ESP_ERR_INVALID_STATE;
    if (!s_is_init) {
        s_is_init = true;
        s_is_synchronised = s_is_news = false;
        s_is_wait_wanted = config->wait_for_sync;
        s_callback = config->sync_cb;
        err = config->start ? start_task() : ESP_OK;
        s_is_init = err == ESP_OK;
    }
    host_monitor_unlock(&s_monitor);
    return err;
}

void esp_netif_sntp_deinit(void)
{
    lock();
    s_is_init = false;
    host_monitor_notify(&s_monitor);
    while (s_is_task_running) {
        host_monitor_wait(&s_monitor);
    }
    host_monitor_unlock(&s_monitor);
}

esp_err_t esp_netif_sntp_sync_wait(TickType_t tout)
{
    int64_t deadline = host_deadline_of_ticks(tout);
    lock();
    esp_err_t err = ESP_ERR_INVALID_STATE;
    if (s_is_init && s_is_wait_wanted) {
        while (!s_is_news && host_monitor_wait_until(&s_monitor, deadline)) {
        }
        err = s_is_news ? ESP_OK : ESP_ERR_TIMEOUT;
        s_is_news = false;
    }
    host_monitor_unlock(&s_monitor);
    return err;
}
