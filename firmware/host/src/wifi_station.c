/*
 * The station: association about 200 ms after esp_wifi_connect, an address 50 ms later. The
 * password is judged as WPA2 does it: by the pairwise master key.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "host_link.h"
#include "host_netif.h"
#include "wifi_driver.h"
#include "wifi_radio.h"

#define CONNECT_MS 200
#define DHCP_MS 50
#define MIN_PASSPHRASE 8
#define MAX_ATTEMPT_RECORDS 16
#define NO_SIGNAL_RSSI (-127)

static const char *TAG = "wifi";

static void end_connect(void *arg);
static void end_dhcp(void *arg);
static void drop(void *arg);

static host_timer_t s_connect_timer = {.callback = end_connect};
static host_timer_t s_dhcp_timer = {.callback = end_dhcp};
static host_timer_t s_drop_timer = {.callback = drop};

/* For the fault `fail_first`: attempts per SSID since boot. */
static struct {
    char ssid[33];
    unsigned count;
} s_attempts[MAX_ATTEMPT_RECORDS];

static void copy_text(char *out, const uint8_t *bytes, size_t size)
{
    memcpy(out, bytes, size);
    out[size] = '\0';
}

static unsigned count_attempt(const char *ssid)
{
    size_t i = 0;
    while (i < MAX_ATTEMPT_RECORDS - 1 && s_attempts[i].ssid[0] != '\0' &&
           strcmp(s_attempts[i].ssid, ssid) != 0) {
        i++;
    }
    strncpy(s_attempts[i].ssid, ssid, sizeof s_attempts[i].ssid - 1);
    return ++s_attempts[i].count;
}

/* esp_wifi_types.h: OPEN < WEP < WPA < OWE < WPA2 = WPA_WPA2 < WAPI < WPA3 = WPA2_WPA3. */
static int strength(wifi_auth_mode_t auth)
{
    switch (auth) {
    case WIFI_AUTH_OPEN:
        return 0;
    case WIFI_AUTH_WEP:
        return 1;
    case WIFI_AUTH_WPA_PSK:
        return 2;
    case WIFI_AUTH_OWE:
        return 3;
    case WIFI_AUTH_WAPI_PSK:
        return 5;
    case WIFI_AUTH_WPA3_PSK:
    case WIFI_AUTH_WPA2_WPA3_PSK:
        return 6;
    default:
        return 4;
    }
}

/* A WPA passphrase raises an unset threshold to WPA2, as the real driver does. */
static wifi_auth_mode_t effective_threshold(size_t password_len)
{
    wifi_auth_mode_t threshold = g_wifi.sta_config.threshold.authmode;
    bool is_unset = threshold == WIFI_AUTH_OPEN;
    return is_unset && password_len >= MIN_PASSPHRASE ? WIFI_AUTH_WPA2_PSK : threshold;
}

/* Whether the station may try this network at all; 0 or the reason why not. */
static uint8_t judge_candidate(const host_air_network_t *network, size_t password_len)
{
    const wifi_scan_threshold_t *threshold = &g_wifi.sta_config.threshold;
    if (threshold->rssi != 0 && network->rssi < threshold->rssi) {
        return WIFI_REASON_NO_AP_FOUND_IN_RSSI_THRESHOLD;
    }
    if (strength(network->auth) < strength(effective_threshold(password_len))) {
        return WIFI_REASON_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD;
    }
    bool is_open = network->auth == WIFI_AUTH_OPEN;
    if (!is_open && password_len == 0) {
        return WIFI_REASON_NO_AP_FOUND_W_COMPATIBLE_SECURITY;
    }
    return 0;
}

/* The strongest network of that name the station may join, or the reason there is none. */
static uint8_t choose_network(const host_air_t *air, const char *ssid, size_t password_len,
                              host_air_network_t *chosen)
{
    uint8_t reason = WIFI_REASON_NO_AP_FOUND;
    bool is_found = false;
    for (size_t i = 0; i < air->count; i++) {
        const host_air_network_t *network = &air->networks[i];
        /* A fast scan stops at the first beacon and never sees a hidden SSID. */
        bool is_visible = !network->is_hidden ||
                          g_wifi.sta_config.scan_method == WIFI_ALL_CHANNEL_SCAN;
        if (!is_visible || strcmp(network->ssid, ssid) != 0) {
            continue;
        }
        uint8_t verdict = judge_candidate(network, password_len);
        if (verdict != 0 && !is_found) {
            reason = verdict;
        } else if (verdict == 0 && (!is_found || network->rssi > chosen->rssi)) {
            *chosen = *network;
            is_found = true;
        }
    }
    return is_found ? 0 : reason;
}

static uint8_t judge_password(const host_air_network_t *network, const char *password)
{
    if (network->auth == WIFI_AUTH_OPEN) {
        return 0;
    }
    if (network->auth == WIFI_AUTH_WEP) {
        return strcmp(network->psk, password) == 0 ? 0 : WIFI_REASON_AUTH_FAIL;
    }
    uint8_t expected[HOST_PMK_LEN];
    uint8_t given[HOST_PMK_LEN];
    bool has_expected = network->has_pmk ? (memcpy(expected, network->pmk, HOST_PMK_LEN), true)
                                         : host_pmk_derive(network->psk, network->ssid, expected);
    if (has_expected && host_pmk_derive(password, network->ssid, given) &&
        CRYPTO_memcmp(expected, given, HOST_PMK_LEN) == 0) {
        return 0;
    }
    /* SAE fails while authenticating, WPA2 in the four-way handshake. */
    bool is_sae =
        network->auth == WIFI_AUTH_WPA3_PSK || network->auth == WIFI_AUTH_WPA2_WPA3_PSK;
    return is_sae ? WIFI_REASON_AUTH_FAIL : WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT;
}

/* The outcome of one association: 0 and g_wifi.network, or a reason. With the lock held. */
static uint8_t associate(void)
{
    char ssid[33];
    char password[65];
    copy_text(ssid, g_wifi.sta_config.ssid, sizeof g_wifi.sta_config.ssid);
    copy_text(password, g_wifi.sta_config.password, sizeof g_wifi.sta_config.password);

    host_air_t *air = host_air_read();
    if (air == NULL) {
        return WIFI_REASON_UNSPECIFIED;
    }
    host_air_network_t network = {0};
    uint8_t reason = choose_network(air, ssid, strlen(password), &network);
    free(air);
    if (reason != 0) {
        return reason;
    }
    g_wifi.network = network;
    if (network.reject_reason != 0) {
        return network.reject_reason;
    }
    if (network.fail_first > 0 && count_attempt(ssid) <= network.fail_first) {
        return WIFI_REASON_AUTH_EXPIRE;
    }
    return judge_password(&network, password);
}

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
    host_link_set(false, false);
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
        uint8_t reason = associate();
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
        host_link_set(true, true);
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
        host_link_set(true, !network->has_no_dns);
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
    free(air);
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
    copy_text(ssid, g_wifi.sta_config.ssid, sizeof g_wifi.sta_config.ssid);
    copy_text(password, g_wifi.sta_config.password, sizeof g_wifi.sta_config.password);
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
