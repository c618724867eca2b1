/* Scanning: what the air holds, strongest first, about 400 ms later. */
#include <stdlib.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "wifi_driver.h"
#include "wifi_radio.h"

#define SCAN_MS 400

static void end_scan(void *arg);

static host_timer_t s_scan_timer = {.callback = end_scan};
static host_monitor_t s_done;
static pthread_once_t s_done_once = PTHREAD_ONCE_INIT;
static unsigned s_scans_done; /* guarded by s_done */

/* What this scan looks for; copied because the caller's structure ends with the call. */
static struct {
    char ssid[33]; /* empty: all */
    uint8_t channel;
    bool does_show_hidden;
} s_request;

static void init_done(void)
{
    host_monitor_init(&s_done);
}

static bool is_wanted(const host_air_network_t *network)
{
    wifi_channel_use_t use = wifi_channel_use(network->channel);
    if (use == CHANNEL_CLOSED || (s_request.channel != 0 && network->channel != s_request.channel)) {
        return false;
    }
    if (s_request.ssid[0] != '\0') { /* a probe request finds hidden ones */
        return strcmp(network->ssid, s_request.ssid) == 0 && (!network->is_hidden || use == CHANNEL_ACTIVE);
    }
    return !network->is_hidden || s_request.does_show_hidden;
}

static void fill_record(wifi_ap_record_t *record, const host_air_network_t *network)
{
    wifi_describe(network, record);
    if (network->is_hidden && s_request.ssid[0] == '\0') {
        memset(record->ssid, 0, sizeof record->ssid);
    }
}

static int compare_strength(const void *a, const void *b)
{
    return ((const wifi_ap_record_t *)b)->rssi - ((const wifi_ap_record_t *)a)->rssi;
}

static void forget_records(void)
{
    free(g_wifi.records);
    g_wifi.records = NULL;
    g_wifi.record_count = 0;
}

static void collect_records(const host_air_t *air)
{
    forget_records();
    if (air == NULL) {
        return;
    }
    g_wifi.records = calloc(air->count + 1, sizeof *g_wifi.records);
    for (size_t i = 0; g_wifi.records != NULL && i < air->count; i++) {
        if (is_wanted(&air->networks[i])) {
            fill_record(&g_wifi.records[g_wifi.record_count++], &air->networks[i]);
        }
    }
    if (g_wifi.records != NULL) {
        qsort(g_wifi.records, g_wifi.record_count, sizeof *g_wifi.records, compare_strength);
    }
}

/* With the lock held. */
static void report_done(wifi_effects_t *effects, uint32_t status)
{
    g_wifi.is_scanning = false;
    size_t i = effects->count;
    wifi_effects_add(effects, WIFI_EVENT_SCAN_DONE);
    effects->events[i].data.scan_done = (wifi_event_sta_scan_done_t){
        .status = status, .number = (uint8_t)g_wifi.record_count, .scan_id = g_wifi.scan_id};
    effects->events[i].size = sizeof effects->events[i].data.scan_done;

    host_monitor_lock(&s_done);
    s_scans_done++;
    host_monitor_notify(&s_done);
    host_monitor_unlock(&s_done);
}

void wifi_scan_take(const host_air_t *air)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    if (g_wifi.is_scanning) {
        collect_records(air);
        report_done(&effects, 0);
    }
    wifi_finish(&effects, ESP_OK);
}

static void end_scan(void *arg)
{
    (void)arg;
    host_air_t *air = host_air_read();
    wifi_scan_take(air);
    host_air_free(air);
}

void wifi_scan_abort(wifi_effects_t *effects)
{
    if (g_wifi.is_scanning) {
        host_timer_disarm(wifi_timers(), &s_scan_timer);
        forget_records();
        report_done(effects, 1);
    }
}

static void note_request(const wifi_scan_config_t *config)
{
    memset(&s_request, 0, sizeof s_request);
    if (config == NULL) {
        return;
    }
    if (config->ssid != NULL) {
        strncpy(s_request.ssid, (const char *)config->ssid, sizeof s_request.ssid - 1);
    }
    s_request.channel = config->channel;
    s_request.does_show_hidden = config->show_hidden;
}

static esp_err_t check_may_scan(void)
{
    esp_err_t err = wifi_check_station();
    bool is_busy = g_wifi.station == STATION_CONNECTING || g_wifi.is_scanning;
    return err == ESP_OK && is_busy ? ESP_ERR_WIFI_STATE : err;
}

esp_err_t esp_wifi_scan_start(const wifi_scan_config_t *config, bool block)
{
    pthread_once(&s_done_once, init_done);
    wifi_lock();
    esp_err_t err = check_may_scan();
    if (err != ESP_OK) {
        return wifi_unlock(err);
    }
    note_request(config);
    g_wifi.is_scanning = true;
    g_wifi.scan_id++;
    host_monitor_lock(&s_done);
    unsigned scans_before = s_scans_done;
    host_monitor_unlock(&s_done);
    if (wifi_radio_is_used()) {
        wifi_radio_scan();
    } else {
        host_timer_arm(wifi_timers(), &s_scan_timer, SCAN_MS * 1000, 0, true);
    }
    wifi_unlock(ESP_OK);

    if (block) {
        host_monitor_lock(&s_done);
        while (s_scans_done == scans_before) {
            host_monitor_wait(&s_done);
        }
        host_monitor_unlock(&s_done);
    }
    return ESP_OK;
}

esp_err_t esp_wifi_scan_stop(void)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    esp_err_t err = wifi_check_started();
    if (err == ESP_OK) {
        wifi_scan_abort(&effects);
    }
    return wifi_finish(&effects, err);
}

esp_err_t esp_wifi_scan_get_ap_num(uint16_t *number)
{
    if (number == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    wifi_lock();
    esp_err_t err = wifi_check_started();
    *number = g_wifi.record_count;
    return wifi_unlock(err);
}

esp_err_t esp_wifi_scan_get_ap_records(uint16_t *number, wifi_ap_record_t *ap_records)
{
    if (number == NULL || ap_records == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    wifi_lock();
    esp_err_t err = wifi_check_started();
    if (err == ESP_OK) {
        if (*number > g_wifi.record_count) {
            *number = g_wifi.record_count;
        }
        if (*number > 0) {
            memcpy(ap_records, g_wifi.records, *number * sizeof *ap_records);
        }
        forget_records();
    }
    return wifi_unlock(err);
}

esp_err_t esp_wifi_clear_ap_list(void)
{
    wifi_lock();
    esp_err_t err = wifi_check_started();
    forget_records();
    return wifi_unlock(err);
}
