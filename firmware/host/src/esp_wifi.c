/* The WiFi driver's modes and configuration. Errors as the real driver returns them. */
#include "esp_wifi.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "host_env.h"
#include "host_heap.h"
#include "wifi_driver.h"
#include "wifi_radio.h"

#define MIN_PASSPHRASE 8
/* What the driver, lwIP and the interfaces have on the chip's heap, so that as much is free as on an ESP32-C3. */
#define DRIVER_BYTES (16 * 1024)
#define SOFTAP_BYTES 9500

static const char *TAG = "wifi";

esp_err_t esp_wifi_init(const wifi_init_config_t *config)
{
    if (config == NULL || config->magic != WIFI_INIT_CONFIG_MAGIC) {
        return ESP_ERR_INVALID_ARG;
    }
    static const wifi_radio_listener_t LISTENER = {
        .take_scan = wifi_scan_take,
        .take_association = wifi_station_take_association,
        .take_address = wifi_station_take_address,
        .take_end = wifi_station_take_end,
    };
    wifi_lock();
    wifi_radio_open(&LISTENER);
    if (!g_wifi.is_init) {
        if (!host_heap_take(DRIVER_BYTES)) {
            return wifi_unlock(ESP_ERR_NO_MEM);
        }
        g_wifi.is_init = true;
        g_wifi.mode = WIFI_MODE_STA; /* the real driver's default after init */
        g_wifi.storage = WIFI_STORAGE_FLASH;
        strcpy(g_wifi.country, "01"); /* world safe mode */
        g_wifi.does_follow_country = true;
        g_wifi.ap_config = (wifi_ap_config_t){.channel = 1, .max_connection = 4};
    }
    return wifi_unlock(ESP_OK);
}

esp_err_t esp_wifi_set_country_code(const char *country, bool ieee80211d_enabled)
{
    if (country == NULL || strlen(country) < 2 || strlen(country) > 3) {
        return ESP_ERR_INVALID_ARG;
    }
    wifi_lock();
    if (!g_wifi.is_init) {
        return wifi_unlock(ESP_ERR_WIFI_NOT_INIT);
    }
    if (wifi_country_last_channel(country) == 0) {
        ESP_LOGE(TAG, "Invalid country code: %.2s", country);
        return wifi_unlock(ESP_ERR_INVALID_ARG);
    }
    memcpy(g_wifi.country, country, 2);
    g_wifi.does_follow_country = ieee80211d_enabled;
    return wifi_unlock(ESP_OK);
}

/* For a SoftAP that begins; what one that ends gives back comes with it. */
static bool take_heap(wifi_mode_t before, wifi_mode_t after)
{
    if (!(before & WIFI_MODE_AP) && (after & WIFI_MODE_AP)) {
        return host_heap_take(SOFTAP_BYTES);
    }
    if ((before & WIFI_MODE_AP) && !(after & WIFI_MODE_AP)) {
        host_heap_give(SOFTAP_BYTES);
    }
    return true;
}

/* Move from one set of running interfaces to another, with the events that go with it. */
static void switch_interfaces(wifi_effects_t *effects, wifi_mode_t before, wifi_mode_t after)
{
    if ((before & WIFI_MODE_STA) && !(after & WIFI_MODE_STA)) {
        wifi_scan_abort(effects);
        wifi_station_leave(effects, WIFI_REASON_ASSOC_LEAVE);
        wifi_effects_add(effects, WIFI_EVENT_STA_STOP);
    }
    if ((before & WIFI_MODE_AP) && !(after & WIFI_MODE_AP)) {
        wifi_effects_add(effects, WIFI_EVENT_AP_STOP);
    }
    if (!(before & WIFI_MODE_STA) && (after & WIFI_MODE_STA)) {
        wifi_effects_add(effects, WIFI_EVENT_STA_START);
    }
    if (!(before & WIFI_MODE_AP) && (after & WIFI_MODE_AP)) {
        wifi_effects_add(effects, WIFI_EVENT_AP_START);
    }
    effects->has_ap_changed = true;
}

esp_err_t esp_wifi_set_mode(wifi_mode_t mode)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    if (!g_wifi.is_init) {
        return wifi_unlock(ESP_ERR_WIFI_NOT_INIT);
    }
    if (mode > WIFI_MODE_APSTA) {
        return wifi_unlock(ESP_ERR_INVALID_ARG);
    }
    if (g_wifi.is_started) {
        if (!take_heap(g_wifi.mode, mode)) {
            return wifi_unlock(ESP_ERR_NO_MEM);
        }
        switch_interfaces(&effects, g_wifi.mode, mode);
    }
    g_wifi.mode = mode;
    return wifi_finish(&effects, ESP_OK);
}

esp_err_t esp_wifi_get_mode(wifi_mode_t *mode)
{
    if (mode == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    wifi_lock();
    *mode = g_wifi.mode;
    return wifi_unlock(g_wifi.is_init ? ESP_OK : ESP_ERR_WIFI_NOT_INIT);
}

esp_err_t esp_wifi_start(void)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    if (!g_wifi.is_init) {
        return wifi_unlock(ESP_ERR_WIFI_NOT_INIT);
    }
    if (!g_wifi.is_started) {
        if (!take_heap(WIFI_MODE_NULL, g_wifi.mode)) {
            return wifi_unlock(ESP_ERR_NO_MEM);
        }
        g_wifi.is_started = true;
        switch_interfaces(&effects, WIFI_MODE_NULL, g_wifi.mode);
        static const char *const NAMES[] = {"null", "sta", "softAP", "sta + softAP"};
        ESP_LOGI(TAG, "mode : %s", NAMES[g_wifi.mode]);
    }
    return wifi_finish(&effects, ESP_OK);
}

/* 0 stands for the driver's own choice. */
static esp_err_t check_channel(uint8_t channel)
{
    uint8_t last = wifi_country_last_channel(g_wifi.country);
    if (channel <= last) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "Channel number %u is out of range from 1 to %u in country code cc=%s", channel,
             last, g_wifi.country);
    return ESP_ERR_INVALID_ARG;
}

static esp_err_t check_ap_config(const wifi_ap_config_t *config)
{
    size_t ssid_len = config->ssid_len > 0 ? config->ssid_len
                                           : strnlen((const char *)config->ssid, 32);
    size_t password_len = strnlen((const char *)config->password, sizeof config->password);
    if (ssid_len == 0 || ssid_len > 32) {
        return ESP_ERR_WIFI_SSID;
    }
    if (config->authmode != WIFI_AUTH_OPEN && password_len < MIN_PASSPHRASE) {
        return ESP_ERR_WIFI_PASSWORD;
    }
    if (config->authmode == WIFI_AUTH_WEP || config->authmode == WIFI_AUTH_WAPI_PSK ||
        config->authmode == WIFI_AUTH_OWE) {
        return ESP_ERR_INVALID_ARG;
    }
    if (config->max_connection > host_env()->chip->ap_clients) {
        ESP_LOGE(TAG, "max connection %u is more than %u", config->max_connection,
                 host_env()->chip->ap_clients);
        return ESP_ERR_INVALID_ARG;
    }
    return check_channel(config->channel);
}

static esp_err_t set_ap_config(const wifi_ap_config_t *config, wifi_effects_t *effects)
{
    if (!(g_wifi.mode & WIFI_MODE_AP)) {
        return ESP_ERR_WIFI_MODE;
    }
    esp_err_t err = check_ap_config(config);
    if (err != ESP_OK) {
        return err;
    }
    g_wifi.ap_config = *config;
    if (config->ssid_len == 0) {
        g_wifi.ap_config.ssid_len = (uint8_t)strnlen((const char *)config->ssid, 32);
    }
    if (config->channel == 0) {
        g_wifi.ap_config.channel = 1;
    }
    effects->has_ap_changed = true;
    return ESP_OK;
}

static esp_err_t set_sta_config(const wifi_sta_config_t *config)
{
    if (!(g_wifi.mode & WIFI_MODE_STA)) {
        return ESP_ERR_WIFI_MODE;
    }
    if (g_wifi.station == STATION_CONNECTING) {
        ESP_LOGE(TAG, "sta is connecting, cannot set config");
        return ESP_ERR_WIFI_STATE;
    }
    g_wifi.sta_config = *config;
    return ESP_OK;
}

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *conf)
{
    if (conf == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    wifi_effects_t effects = {0};
    wifi_lock();
    if (!g_wifi.is_init) {
        return wifi_unlock(ESP_ERR_WIFI_NOT_INIT);
    }
    switch (interface) {
    case WIFI_IF_STA:
        return wifi_finish(&effects, set_sta_config(&conf->sta));
    case WIFI_IF_AP:
        return wifi_finish(&effects, set_ap_config(&conf->ap, &effects));
    default:
        return wifi_unlock(ESP_ERR_WIFI_IF);
    }
}

esp_err_t esp_wifi_set_storage(wifi_storage_t storage)
{
    if (storage != WIFI_STORAGE_FLASH && storage != WIFI_STORAGE_RAM) {
        return ESP_ERR_INVALID_ARG;
    }
    wifi_lock();
    g_wifi.storage = storage;
    return wifi_unlock(g_wifi.is_init ? ESP_OK : ESP_ERR_WIFI_NOT_INIT);
}
