/* Whether the station gets onto a network: which one it chooses, and how that network judges it. */
#include <string.h>

#include "wifi_driver.h"

#define MIN_PASSPHRASE 8
#define MAX_ATTEMPT_RECORDS 16

/* For the fault `fail_first`: attempts per SSID since boot. */
static struct {
    char ssid[33];
    unsigned count;
} s_attempts[MAX_ATTEMPT_RECORDS];

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

/* A fast scan stops at the first beacon and never sees a hidden SSID. */
static bool is_visible(const host_air_network_t *network)
{
    wifi_channel_use_t use = wifi_channel_use(network->channel);
    bool is_asked = use == CHANNEL_ACTIVE && g_wifi.sta_config.scan_method == WIFI_ALL_CHANNEL_SCAN;
    return network->is_hidden ? is_asked : use != CHANNEL_CLOSED;
}

/* The strongest network of that name the station may join, or the reason there is none. */
static uint8_t choose_network(const host_air_t *air, const char *ssid, size_t password_len,
                              host_air_network_t *chosen)
{
    uint8_t reason = WIFI_REASON_NO_AP_FOUND;
    bool is_found = false;
    for (size_t i = 0; i < air->count; i++) {
        const host_air_network_t *network = &air->networks[i];
        if (!is_visible(network) || strcmp(network->ssid, ssid) != 0) {
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
        memcmp(expected, given, HOST_PMK_LEN) == 0) {
        return 0;
    }
    /* SAE fails while authenticating, WPA2 in the four-way handshake. */
    bool is_sae =
        network->auth == WIFI_AUTH_WPA3_PSK || network->auth == WIFI_AUTH_WPA2_WPA3_PSK;
    return is_sae ? WIFI_REASON_AUTH_FAIL : WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT;
}

uint8_t wifi_join(void)
{
    char ssid[33];
    char password[65];
    wifi_copy_text(ssid, g_wifi.sta_config.ssid, sizeof g_wifi.sta_config.ssid);
    wifi_copy_text(password, g_wifi.sta_config.password, sizeof g_wifi.sta_config.password);

    host_air_t *air = host_air_read();
    if (air == NULL) {
        return WIFI_REASON_UNSPECIFIED;
    }
    host_air_network_t network = {0};
    uint8_t reason = choose_network(air, ssid, strlen(password), &network);
    host_air_free(air);
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
