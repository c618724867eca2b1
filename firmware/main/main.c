/* Start-up: brings the modules up in the order of their dependencies and hands over to the runner. */
#include "button.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_log.h"
#include "json_memory.h"
#include "net_jobs.h"
#include "prov_runner.h"
#include "prov_status.h"
#include "wifi_link.h"

static const char *TAG = "prov";

/** At the level of debugging, ESP-IDF logs the headers of every request, and so tokens and the pairing secret. */
static void keep_secrets_out_of_the_log(void)
{
    esp_log_level_set("HTTP_CLIENT", ESP_LOG_INFO);
    esp_log_level_set("httpd_parse", ESP_LOG_INFO);
}

void app_main(void)
{
    keep_secrets_out_of_the_log();
    json_memory_init();
    ESP_LOGI(TAG, "device %s, firmware %s", device_identity_id(), esp_app_get_description()->version);
    /* Out of memory at this point, or a radio that does not start, can only be met by a restart. */
    ESP_ERROR_CHECK(prov_status_init());
    ESP_ERROR_CHECK(prov_runner_init());
    /* A broken storage is not fatal: the device says so on its AP. */
    esp_err_t storage = device_store_init();
    device_clock_restore();
    button_init();
    ESP_ERROR_CHECK(wifi_link_init());
    ESP_ERROR_CHECK(net_jobs_init());
    ESP_ERROR_CHECK(prov_runner_start(storage));
}
