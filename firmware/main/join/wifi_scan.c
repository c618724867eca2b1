#include "wifi_scan.h"

#include <stdlib.h>
#include <string.h>

#include "device_clock.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "stack_marks.h"

#define REFRESH_AFTER_MS 5000 /* older results start a new scan in the background */
#define STALE_AFTER_MS 30000  /* older results are worth waiting for new ones */
#define WAIT_MS 4000          /* 13 channels take about 2 s */
#define RECORDS_MAX 48

static const char *TAG = "scan";
static SemaphoreHandle_t s_lock;
static SemaphoreHandle_t s_done; /* given at the end of each scan */
static wifi_network_t s_networks[WIFI_SCAN_MAX];
static size_t s_count;
static int64_t s_scanned_at_ms; /* 0 = never */
static bool s_running;

static void collect(const wifi_ap_record_t *records, uint16_t found)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
    s_count = 0;
    for (uint16_t i = 0; i < found; i++) {
        wifi_network_t network = {
            .rssi = records[i].rssi,
            .channel = records[i].primary,
            .secure = records[i].authmode != WIFI_AUTH_OPEN,
        };
        memcpy(network.ssid, records[i].ssid, PROV_SSID_MAX);
        wifi_networks_add(s_networks, &s_count, &network);
    }
    s_scanned_at_ms = device_clock_uptime_ms();
    xSemaphoreGive(s_lock);
}

static void read_results(void)
{
    uint16_t found = RECORDS_MAX;
    wifi_ap_record_t *records = calloc(RECORDS_MAX, sizeof *records);
    if (records == NULL || esp_wifi_scan_get_ap_records(&found, records) != ESP_OK) {
        ESP_LOGW(TAG, "the result of a scan is lost");
        esp_wifi_clear_ap_list();
    } else {
        collect(records, found);
    }
    free(records);
}

static void on_scan_done(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)id;
    const wifi_event_sta_scan_done_t *done = data;
    if (done->status == 0) {
        read_results();
    } else {
        esp_wifi_clear_ap_list();
    }
    xSemaphoreTake(s_lock, portMAX_DELAY);
    s_running = false;
    xSemaphoreGive(s_lock);
    xSemaphoreGive(s_done);
    stack_marks_note(STACK_MARK_EVENTS);
}

esp_err_t wifi_scan_init(void)
{
    s_lock = xSemaphoreCreateMutex();
    s_done = xSemaphoreCreateBinary();
    if (s_lock == NULL || s_done == NULL) {
        return ESP_ERR_NO_MEM;
    }
    return esp_event_handler_instance_register(WIFI_EVENT, WIFI_EVENT_SCAN_DONE, on_scan_done, NULL, NULL);
}

esp_err_t wifi_scan_request(void)
{
    const wifi_scan_config_t config = {.scan_type = WIFI_SCAN_TYPE_ACTIVE, .scan_time.active.max = 120};
    xSemaphoreTake(s_lock, portMAX_DELAY);
    bool start = !s_running;
    s_running = true;
    xSemaphoreGive(s_lock);
    if (!start) {
        return ESP_OK;
    }
    xSemaphoreTake(s_done, 0);
    esp_err_t err = esp_wifi_scan_start(&config, false);
    if (err != ESP_OK) {
        ESP_LOGD(TAG, "no scan now: %s", esp_err_to_name(err));
        xSemaphoreTake(s_lock, portMAX_DELAY);
        s_running = false;
        xSemaphoreGive(s_lock);
    }
    return err;
}

void wifi_scan_cancel(void)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
    bool running = s_running;
    xSemaphoreGive(s_lock);
    if (running) {
        esp_wifi_scan_stop(); /* SCAN_DONE follows and clears the flag */
    }
}

/** Age of the cache in milliseconds; INT64_MAX when it has never been filled. */
static int64_t copy_cache(wifi_network_t *out, size_t *count)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
    memcpy(out, s_networks, s_count * sizeof *out);
    *count = s_count;
    int64_t age_ms = s_scanned_at_ms != 0 ? device_clock_uptime_ms() - s_scanned_at_ms : INT64_MAX;
    xSemaphoreGive(s_lock);
    return age_ms;
}

esp_err_t wifi_scan_list(wifi_network_t *out, size_t *count)
{
    int64_t age_ms = copy_cache(out, count);
    if (age_ms > REFRESH_AFTER_MS) {
        esp_err_t err = wifi_scan_request();
        if (err == ESP_OK && age_ms > STALE_AFTER_MS) {
            xSemaphoreTake(s_done, pdMS_TO_TICKS(WAIT_MS));
            age_ms = copy_cache(out, count);
        }
    }
    /* An old list is better than none while an association keeps the radio busy. */
    return age_ms == INT64_MAX ? ESP_ERR_NOT_FOUND : ESP_OK;
}
