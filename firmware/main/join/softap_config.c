#include "softap_config.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "esp_mac.h"
#include "esp_timer.h"
#include "esp_wifi.h"
#include "prov_records.h"
#include "sdkconfig.h"
#include "secret_wipe.h"

#define SAFE_CHANNEL 1 /* legal in every country */
#define FEW_CLIENTS 4  /* the smallest chip takes as many, */
#define FEWER_CLIENTS 2 /* or as few as these, where ESP-NOW has Kconfig's share of its keys */
#define WARNING_INTERVAL_US (10 * 1000 * 1000)

typedef struct {
    uint8_t channel;
    uint8_t clients;
} settings_t;

static const char *TAG = "wifi";
static char s_ssid[PROV_SSID_MAX + 1];
static char s_trouble[96];
static uint8_t s_channel = CONFIG_PROV_SOFTAP_CHANNEL;

static void note_trouble(const char *format, ...)
{
    size_t used = strlen(s_trouble);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0) {
        used += (size_t)snprintf(s_trouble + used, sizeof s_trouble - used, ", ");
    }
    if (used < sizeof s_trouble) {
        vsnprintf(s_trouble + used, sizeof s_trouble - used, format, arguments);
    }
    va_end(arguments);
}

static void warn(void *arg)
{
    (void)arg;
    ESP_LOGW(TAG, "the radio does not take the AP's settings: %s", s_trouble);
}

/** The prefix of the manifest and the last three bytes of the SoftAP's MAC address. */
static void name_ap(void)
{
    uint8_t mac[6] = {0};
    if (esp_read_mac(mac, ESP_MAC_WIFI_SOFTAP) != ESP_OK) {
        ESP_LOGW(TAG, "the SoftAP's address cannot be read");
    }
    snprintf(s_ssid, sizeof s_ssid, "%.25s-%02X%02X%02X", CONFIG_PROV_SOFTAP_SSID_PREFIX, mac[3], mac[4], mac[5]);
}

void softap_config_init(void)
{
    name_ap();
    if (esp_wifi_set_country_code(CONFIG_PROV_WIFI_COUNTRY, true) != ESP_OK) {
        note_trouble("country %.3s -> 01", CONFIG_PROV_WIFI_COUNTRY);
    }
}

static esp_err_t configure(const settings_t *settings)
{
    wifi_config_t config = {
        .ap =
            {
                .channel = settings->channel,
                .max_connection = settings->clients,
                .authmode = WIFI_AUTH_WPA2_PSK,
                .ssid_len = (uint8_t)strlen(s_ssid),
            },
    };
    memcpy(config.ap.ssid, s_ssid, strlen(s_ssid));
    snprintf((char *)config.ap.password, sizeof config.ap.password, "%s", CONFIG_PROV_SOFTAP_PASSWORD);
    esp_err_t err = esp_wifi_set_config(WIFI_IF_AP, &config);
    secret_wipe(&config, sizeof config);
    return err;
}

static void note_replaced(const settings_t *taken)
{
    s_channel = taken->channel;
    if (taken->channel != CONFIG_PROV_SOFTAP_CHANNEL) {
        note_trouble("channel %d -> %d in country %.3s", CONFIG_PROV_SOFTAP_CHANNEL, taken->channel,
                     CONFIG_PROV_WIFI_COUNTRY);
    }
    if (taken->clients != CONFIG_PROV_SOFTAP_MAX_CLIENTS) {
        note_trouble("clients %d -> %d", CONFIG_PROV_SOFTAP_MAX_CLIENTS, taken->clients);
    }
}

esp_err_t softap_config_apply(void)
{
    /* Which of the two it dislikes, the driver says only in its log. */
    static const uint8_t CLIENTS[] = {CONFIG_PROV_SOFTAP_MAX_CLIENTS, FEW_CLIENTS, FEWER_CLIENTS, 1};
    static const uint8_t CHANNELS[] = {CONFIG_PROV_SOFTAP_CHANNEL, SAFE_CHANNEL};
    esp_err_t err = ESP_FAIL;
    for (size_t i = 0; i < sizeof CLIENTS * sizeof CHANNELS; i++) {
        const settings_t settings = {
            .channel = CHANNELS[i % sizeof CHANNELS],
            .clients = CLIENTS[i / sizeof CHANNELS],
        };
        err = configure(&settings);
        if (err == ESP_OK) {
            note_replaced(&settings);
            break;
        }
    }
    return err;
}

void softap_config_keep_warning(void)
{
    const esp_timer_create_args_t args = {.callback = warn, .name = "softap_config"};
    esp_timer_handle_t timer;
    if (s_trouble[0] == '\0') {
        return;
    }
    warn(NULL);
    if (esp_timer_create(&args, &timer) == ESP_OK) {
        esp_timer_start_periodic(timer, WARNING_INTERVAL_US);
    }
}

const char *softap_config_ssid(void)
{
    return s_ssid;
}

uint8_t softap_config_channel(void)
{
    return s_channel;
}

const char *softap_config_trouble(void)
{
    return s_trouble;
}
