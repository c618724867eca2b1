/* What the programs share: how they end, how they report, how they get onto a network. */
#pragma once

#include <unistd.h>

#include "../check.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

/** Print the result of the checks and end the process; one that checked nothing has failed. */
static inline void finish(const char *name)
{
    const int result = check_result(name);
    fflush(stdout);
    _exit(result);
}

/** One line of output, at once. */
#define REPORT(...)                                                                                \
    do {                                                                                           \
        printf(__VA_ARGS__);                                                                       \
        putchar('\n');                                                                             \
        fflush(stdout);                                                                            \
    } while (0)

static SemaphoreHandle_t s_has_address;

static inline void note_address(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)id;
    (void)data;
    xSemaphoreGive(s_has_address);
}

/** Start WiFi in `mode`; the interfaces and the event loop with it. */
static inline void start_wifi(wifi_mode_t mode, const wifi_ap_config_t *ap)
{
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    esp_netif_create_default_wifi_sta();
    esp_netif_create_default_wifi_ap();
    ESP_ERROR_CHECK(esp_wifi_init(&init));
    ESP_ERROR_CHECK(esp_wifi_set_storage(WIFI_STORAGE_RAM));
    ESP_ERROR_CHECK(esp_wifi_set_mode(mode));
    if (ap != NULL) {
        wifi_config_t config = {.ap = *ap};
        ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_AP, &config));
    }
    ESP_ERROR_CHECK(esp_wifi_start());
}

/** Join the open network "Open" and wait for the address. */
static inline void go_online(void)
{
    start_wifi(WIFI_MODE_STA, NULL);
    s_has_address = xSemaphoreCreateBinary();
    ESP_ERROR_CHECK(esp_event_handler_instance_register(IP_EVENT, IP_EVENT_STA_GOT_IP, note_address,
                                                        NULL, NULL));
    wifi_config_t config = {.sta = {.ssid = "Open"}};
    ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &config));
    ESP_ERROR_CHECK(esp_wifi_connect());
    xSemaphoreTake(s_has_address, portMAX_DELAY);
}
