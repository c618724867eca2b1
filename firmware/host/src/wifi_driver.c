#include "wifi_driver.h"

#include <stdio.h>
#include <string.h>

#include "host_softap.h"
#include "host_stack.h"

ESP_EVENT_DEFINE_BASE(WIFI_EVENT);

wifi_driver_t g_wifi = {.lock = PTHREAD_MUTEX_INITIALIZER};

static host_timer_service_t s_timers;
static pthread_once_t s_timers_once = PTHREAD_ONCE_INIT;

/* Serialises "read the wanted state, apply it", so that the newest state always wins. */
static pthread_mutex_t s_softap_order = PTHREAD_MUTEX_INITIALIZER;

static void start_timers(void)
{
    host_timer_service_start(&s_timers, "wifi", HOST_OWN_STACK);
}

host_timer_service_t *wifi_timers(void)
{
    pthread_once(&s_timers_once, start_timers);
    return &s_timers;
}

void wifi_effects_add(wifi_effects_t *effects, wifi_event_t id)
{
    effects->events[effects->count].base = WIFI_EVENT;
    effects->events[effects->count].id = (int32_t)id;
    effects->count++;
}

static host_softap_state_t wanted_softap(void)
{
    host_softap_state_t state = {0};
    pthread_mutex_lock(&g_wifi.lock);
    const wifi_ap_config_t *config = &g_wifi.ap_config;
    state.has_interface = g_wifi.is_started && (g_wifi.mode & WIFI_MODE_AP) != 0;
    state.is_up = state.has_interface && !g_wifi.is_ap_hidden_by_fault;
    snprintf(state.ssid, sizeof state.ssid, "%.*s", (int)config->ssid_len,
             (const char *)config->ssid);
    if (config->authmode != WIFI_AUTH_OPEN) {
        snprintf(state.password, sizeof state.password, "%.*s", (int)sizeof config->password,
                 (const char *)config->password);
    }
    state.channel =
        g_wifi.connected_bssid_channel ? g_wifi.connected_bssid_channel : config->channel;
    pthread_mutex_unlock(&g_wifi.lock);
    return state;
}

static void update_softap(void)
{
    pthread_mutex_lock(&s_softap_order);
    host_softap_state_t wanted = wanted_softap();
    host_softap_update(&wanted);
    pthread_mutex_unlock(&s_softap_order);
}

/* Post the events and bring the SoftAP in line. */
static void apply(const wifi_effects_t *effects)
{
    if (effects->has_ap_changed) {
        update_softap();
    }
    for (size_t i = 0; i < effects->count; i++) {
        esp_event_post(effects->events[i].base, effects->events[i].id, &effects->events[i].data,
                       effects->events[i].size, portMAX_DELAY);
    }
}

void wifi_lock(void)
{
    pthread_mutex_lock(&g_wifi.lock);
}

esp_err_t wifi_unlock(esp_err_t err)
{
    pthread_mutex_unlock(&g_wifi.lock);
    return err;
}

esp_err_t wifi_finish(wifi_effects_t *effects, esp_err_t err)
{
    pthread_mutex_unlock(&g_wifi.lock);
    apply(effects);
    return err;
}

esp_err_t wifi_check_started(void)
{
    if (!g_wifi.is_init) {
        return ESP_ERR_WIFI_NOT_INIT;
    }
    return g_wifi.is_started ? ESP_OK : ESP_ERR_WIFI_NOT_STARTED;
}

esp_err_t wifi_check_station(void)
{
    esp_err_t err = wifi_check_started();
    return err == ESP_OK && !(g_wifi.mode & WIFI_MODE_STA) ? ESP_ERR_WIFI_MODE : err;
}

void wifi_copy_text(char *out, const uint8_t *bytes, size_t size)
{
    memcpy(out, bytes, size);
    out[size] = '\0';
}

wifi_channel_use_t wifi_channel_use(uint8_t channel)
{
    return wifi_country_use(g_wifi.country, g_wifi.does_follow_country, channel);
}

void wifi_describe(const host_air_network_t *network, wifi_ap_record_t *record)
{
    memset(record, 0, sizeof *record);
    memcpy(record->ssid, network->ssid, strlen(network->ssid));
    memcpy(record->bssid, network->bssid, sizeof record->bssid);
    record->primary = network->channel;
    record->rssi = network->rssi;
    record->authmode = network->auth;
}
