/* The station: association about 200 ms after esp_wifi_connect, an address 50 ms later. */
#include <string.h>

#include "esp_log.h"
#include "host_link.h"
#include "host_loopback.h"
#include "host_netif.h"
#include "wifi_driver.h"
#include "wifi_radio.h"

#define CONNECT_MS 200
#define DHCP_MS 50
#define NO_SIGNAL_RSSI (-127)

static const char *TAG = "wifi";

static void end_connect(void *arg);
static void end_dhcp(void *arg);
static void drop(void *arg);

static host_timer_t s_connect_timer = {.callback = end_connect};
static host_timer_t s_dhcp_timer = {.callback = end_dhcp};
static host_timer_t s_drop_timer = {.callback = drop};

static void add_connected(wifi_effects_t *effects)
{
    size_t i = effects->count;
    wifi_effects_add(effects, WIFI_EVENT_STA_CONNECTED);
    wifi_event_sta_connected_t *event = &effects->events[i].data.connected;
    event->ssid_len = (uint8_t)strlen(g_wifi.network.ssid);
    memcpy(event->ssid, g_wifi.network.ssid, event->ssid_len);
    memcpy(event->bssid, g_wifi.network.bssid, sizeof event->bssid);
    event->channel = g_wifi.network.channel;
    event->authmode = g_wifi.network.auth;
    event->aid = 1;
    effects->events[i].size = sizeof *event;
}

static void add_disconnected(wifi_effects_t *effects, uint8_t reason)
{
    size_t i = effects->count;
    wifi_effects_add(effects, WIFI_EVENT_STA_DISCONNECTED);
    wifi_event_sta_disconnected_t *event = &effects->events[i].data.disconnected;
    memcpy(event->ssid, g_wifi.sta_config.ssid, sizeof event->ssid);
    event->ssid_len = (uint8_t)strnlen((const char *)event->ssid, sizeof event->ssid);
    bool was_found = g_wifi.network.ssid[0] != '\0';
    memcpy(event->bssid, g_wifi.network.bssid, sizeof event->bssid);
    event->rssi = was_found ? g_wifi.network.rssi : NO_SIGNAL_RSSI;
    event->reason = reason;
    effects->events[i].size = sizeof *event;
}

void wifi_station_leave(wifi_effects_t *effects, uint8_t reason)
{
    if (g_wifi.station == STATION_IDLE) {
        return;
    }
    host_timer_disarm(wifi_timers(), &s_connect_timer);
    host_timer_disarm(wifi_timers(), &s_dhcp_timer);
    host_timer_disarm(wifi_timers(), &s_drop_timer);
    if (wifi_radio_is_used()) {
        wifi_radio_disconnect();
    }
    add_disconnected(effects, reason);
    memset(&g_wifi.network, 0, sizeof g_wifi.network);
    g_wifi.station = STATION_IDLE;
    g_wifi.connected_bssid_channel = 0;
    g_wifi.is_ap_hidden_by_fault = false;
    effects->has_ap_changed = true;
    host_netif_release();
    host_link_set_down();
}

/* The station is on g_wifi.network. With the lock held. */
static void note_association(wifi_effects_t *effects)
{
    g_wifi.station = STATION_CONNECTED;
    g_wifi.connected_bssid_channel = g_wifi.network.channel;
    effects->has_ap_changed = true;
    add_connected(effects);
}

static void end_connect(void *arg)
{
    (void)arg;
    wifi_effects_t effects = {0};
    wifi_lock();
    if (g_wifi.station == STATION_CONNECTING) {
        uint8_t reason = wifi_join();
        if (reason != 0) {
            wifi_station_leave(&effects, reason);
        } else {
            note_association(&effects);
            host_timer_arm(wifi_timers(), &s_dhcp_timer, DHCP_MS * 1000, 0, true);
        }
    }
    wifi_finish(&effects, ESP_OK);
}

void wifi_station_take_association(const host_air_network_t *network)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    if (g_wifi.station == STATION_CONNECTING) {
        g_wifi.network = *network;
        note_association(&effects);
    }
    wifi_finish(&effects, ESP_OK);
}

void wifi_station_take_end(uint8_t reason)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    wifi_station_leave(&effects, reason);
    wifi_finish(&effects, ESP_OK);
}

static void add_got_ip(wifi_effects_t *effects)
{
    effects->events[0].base = IP_EVENT;
    effects->events[0].id = IP_EVENT_STA_GOT_IP;
    effects->events[0].size = sizeof effects->events[0].data.got_ip;
    effects->count = 1;
}

void wifi_station_take_address(const esp_netif_ip_info_t *ip_info)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    if (g_wifi.station == STATION_CONNECTED &&
        host_netif_assign(ip_info, &effects.events[0].data.got_ip)) {
        host_link_set_up(0, true); /* by the radio's own interface: the kernel knows the way */
        add_got_ip(&effects);
    }
    wifi_finish(&effects, ESP_OK);
}

static void end_dhcp(void *arg)
{
    (void)arg;
    wifi_effects_t effects = {0};
    wifi_lock();
    const host_air_network_t *network = &g_wifi.network;
    bool is_associated = g_wifi.station == STATION_CONNECTED;
    if (is_associated && network->drop_after_ms > 0) {
        host_timer_arm(wifi_timers(), &s_drop_timer, (uint64_t)network->drop_after_ms * 1000, 0,
                       true);
    }
    if (is_associated && !network->has_no_dhcp &&
        host_netif_lease(&effects.events[0].data.got_ip)) {
        host_link_set_up(host_loopback_is_used() ? host_loopback_station() : 0, !network->has_no_dns);
        add_got_ip(&effects);
    }
    wifi_finish(&effects, ESP_OK);
}

static void drop(void *arg)
{
    (void)arg;
    wifi_effects_t effects = {0};
    wifi_lock();
    if (g_wifi.station == STATION_CONNECTED) {
        wifi_station_leave(&effects, WIFI_REASON_BEACON_TIMEOUT);
    }
    wifi_finish(&effects, ESP_OK);
}

static esp_err_t check_may_connect(void)
{
    esp_err_t err = wifi_check_station();
    if (err != ESP_OK) {
        return err;
    }
    if (g_wifi.sta_config.ssid[0] == '\0') {
        return ESP_ERR_WIFI_SSID;
    }
    if (g_wifi.station != STATION_IDLE) {
        ESP_LOGE(TAG, "sta is connecting, return error");
        return ESP_ERR_WIFI_CONN;
    }
    return ESP_OK;
}

static bool does_ap_vanish(void)
{
    host_air_t *air = host_air_read();
    bool does_vanish = air != NULL && air->does_ap_vanish;
    host_air_free(air);
    return does_vanish;
}

static void start_connect(void)
{
    if (!wifi_radio_is_used()) {
        host_timer_arm(wifi_timers(), &s_connect_timer, CONNECT_MS * 1000, 0, true);
        return;
    }
    char ssid[33];
    char password[65];
    wifi_copy_text(ssid, g_wifi.sta_config.ssid, sizeof g_wifi.sta_config.ssid);
    wifi_copy_text(password, g_wifi.sta_config.password, sizeof g_wifi.sta_config.password);
    wifi_radio_connect(ssid, password);
}

esp_err_t esp_wifi_connect(void)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    esp_err_t err = check_may_connect();
    if (err == ESP_OK) {
        wifi_scan_abort(&effects); /* connecting takes the radio from a scan */
        memset(&g_wifi.network, 0, sizeof g_wifi.network);
        g_wifi.station = STATION_CONNECTING;
        g_wifi.is_ap_hidden_by_fault = does_ap_vanish();
        effects.has_ap_changed = g_wifi.is_ap_hidden_by_fault;
        start_connect();
    }
    return wifi_finish(&effects, err);
}

esp_err_t esp_wifi_disconnect(void)
{
    wifi_effects_t effects = {0};
    wifi_lock();
    esp_err_t err = wifi_check_started();
    if (err == ESP_OK) {
        wifi_station_leave(&effects, WIFI_REASON_ASSOC_LEAVE);
    }
    return wifi_finish(&effects, err);
}

esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *ap_info)
{
    if (ap_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    wifi_lock();
    bool is_associated = g_wifi.station == STATION_CONNECTED;
    if (is_associated) {
        wifi_describe(&g_wifi.network, ap_info);
    }
    return wifi_unlock(is_associated ? ESP_OK : ESP_ERR_WIFI_NOT_CONNECT);
}
