/* Start-up: brings the modules up in the order of their dependencies and hands over to the runner. */
#include "button.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "json_memory.h"
#include "net_jobs.h"
#include "prov_mailbox.h"
#include "prov_runner.h"
#include "prov_status.h"
#include "softap_config.h"
#include "stack_marks.h"
#include "wifi_link.h"

#define COMPLAINT_INTERVAL_MS 10000

static const char *TAG = "prov";

/** At the level of debugging, ESP-IDF logs the headers of every request, and so tokens and the pairing secret. */
static void keep_secrets_out_of_the_log(void)
{
    esp_log_level_set("HTTP_CLIENT", ESP_LOG_INFO);
    esp_log_level_set("httpd_parse", ESP_LOG_INFO);
}

/**
 * Ends the start-up when a part of it fails: for want of memory, or because the radio does not start. A
 * restart would meet the same again and again; here, the log tells whoever looks at it at any time.
 */
static void require(const char *part, esp_err_t err)
{
    while (err != ESP_OK) {
        ESP_LOGE(TAG, "%s does not start: %s. Nothing runs.", part, esp_err_to_name(err));
        vTaskDelay(pdMS_TO_TICKS(COMPLAINT_INTERVAL_MS));
    }
}

void app_main(void)
{
    keep_secrets_out_of_the_log();
    json_memory_init();
    ESP_LOGI(TAG, "device %s, firmware %s", device_identity_id(), esp_app_get_description()->version);
    require("the status", prov_status_init());
    require("the state machine", prov_mailbox_init());
    /* A broken storage is not fatal: the device says so on its AP. */
    esp_err_t storage = device_store_init();
    require("the clock", device_clock_restore());
    button_init();
    require("the radio", wifi_link_init());
    require("the network task", net_jobs_init());
    if (softap_config_trouble()[0] != '\0') {
        prov_runner_note(PROV_FAILURE_RADIO_MISCONFIGURED, softap_config_trouble());
    }
    require("the state machine", prov_runner_start(storage));
    stack_marks_note(STACK_MARK_MAIN);
}
