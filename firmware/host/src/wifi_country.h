/* The countries that the WiFi driver of every ESP-IDF knows, and their channels at 2.4 GHz. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** The last channel that is allowed in a country, from 1 on; 0 for a code that the driver does not know. */
uint8_t wifi_country_last_channel(const char *code);

typedef enum {
    CHANNEL_CLOSED,  /* never tuned to */
    CHANNEL_PASSIVE, /* listened to for beacons: whoever hides its name is not found there */
    CHANNEL_ACTIVE,  /* asked for a network's name */
} wifi_channel_use_t;

/** What a scan does on a channel; `does_follow`: whether the country of the AP in range counts (IEEE 802.11d). */
wifi_channel_use_t wifi_country_use(const char *code, bool does_follow, uint8_t channel);
