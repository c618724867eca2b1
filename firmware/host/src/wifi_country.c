#include "wifi_country.h"

#include <stddef.h>
#include <string.h>

/* In whatever country (ESP-IDF's guide to WiFi, "Wi-Fi Country Code"). */
#define LAST_ACTIVE 11
#define LAST_PASSIVE 14

/* esp_wifi_set_country_code() in esp_wifi.h; the channels as in components/esp_wifi/regulatory. */
static const char *const UP_TO_11[] = {"01", "CA", "US"};
static const char *const UP_TO_13[] = {
    "AT", "AU", "BE", "BG", "BR", "CH", "CN", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HK", "HR",
    "HU", "IE", "IN", "IS", "IT", "KR", "LI", "LT", "LU", "LV", "MT", "MX", "NL", "NO", "NZ", "PL", "PT", "RO", "SE",
    "SI", "SK", "TW",
};

static int is_among(const char *code, const char *const *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(codes[i], code, 2) == 0) {
            return 1;
        }
    }
    return 0;
}

uint8_t wifi_country_last_channel(const char *code)
{
    if (is_among(code, UP_TO_11, sizeof UP_TO_11 / sizeof UP_TO_11[0])) {
        return 11;
    }
    if (is_among(code, UP_TO_13, sizeof UP_TO_13 / sizeof UP_TO_13[0])) {
        return 13;
    }
    return strncmp(code, "JP", 2) == 0 ? 14 : 0;
}

wifi_channel_use_t wifi_country_use(const char *code, bool does_follow, uint8_t channel)
{
    if (!does_follow) {
        return channel <= wifi_country_last_channel(code) ? CHANNEL_ACTIVE : CHANNEL_CLOSED;
    }
    return channel <= LAST_ACTIVE ? CHANNEL_ACTIVE : channel <= LAST_PASSIVE ? CHANNEL_PASSIVE : CHANNEL_CLOSED;
}
