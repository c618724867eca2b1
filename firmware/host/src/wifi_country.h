/* The countries that the WiFi driver of every ESP-IDF knows, and their channels at 2.4 GHz. */
#pragma once

#include <stdint.h>

/** The last channel that is allowed in a country, from 1 on; 0 for a code that the driver does not know. */
uint8_t wifi_country_last_channel(const char *code);
