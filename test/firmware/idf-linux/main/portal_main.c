/* The firmware's handlers on ESP-IDF's own esp_http_server, on port 80 of 127.0.0.1; the rest of the device stands still. */
#include <stdio.h>
#include <string.h>

#include "ap_interface.h"
#include "blank_flash.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_event.h"
#include "esp_netif.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "http_api.h"
#include "prov_mailbox.h"
#include "prov_status.h"
#include "vitals.h"
#include "wifi_scan.h"

int portal_main(int argc, char **argv);

/* ---- the rest of the device ---- */

const char *device_identity_id(void)
{
    return "linux";
}

int64_t device_clock_uptime_ms(void)
{
    return (int64_t)xTaskGetTickCount() * portTICK_PERIOD_MS;
}

void device_clock_offer(int64_t unix_seconds)
{
    (void)unix_seconds;
}

void vitals_read(status_vitals_t *vitals)
{
    *vitals = (status_vitals_t){.reset_reason = "other"};
}

esp_err_t wifi_scan_list(wifi_network_t *out, size_t *count)
{
    strcpy(out[0].ssid, "Home");
    *count = 1;
    return ESP_OK;
}

/** One line for the test. */
bool prov_post(const prov_msg_t *msg)
{
    printf("posted %d\n", (int)msg->event);
    fflush(stdout);
    return true;
}

bool prov_post_event(prov_event_id_t event)
{
    return prov_post(&(prov_msg_t){.event = event});
}

esp_err_t ap_interface_bind_server(void)
{
    return ESP_OK; /* Linux has a say in that, and ESP-IDF has none */
}

/* ---- */

/** Never returns. The file named is its flash. */
int portal_main(int argc, char **argv)
{
    if (argc != 2 || setenv("PROV_HOST_FLASH", argv[1], 1) != 0 || !blank_flash_write(argv[1], BLANK_FLASH_PAGES)) {
        return 2;
    }
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(prov_status_init());
    ESP_ERROR_CHECK(device_store_init());
    ESP_ERROR_CHECK(http_api_start());
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        vTaskDelay(pdMS_TO_TICKS(1000));
    }
}
