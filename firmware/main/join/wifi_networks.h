/* From what the radio heard to the list for people. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prov_records.h"

/* At most this many networks are listed. */
#define WIFI_SCAN_MAX 20

typedef struct {
    char ssid[PROV_SSID_MAX + 1]; /* valid UTF-8 */
    int8_t rssi;                  /* dBm */
    uint8_t channel;
    bool secure;
} wifi_network_t;

/**
 * Adds one access point to the list of `*count` entries, which has room for WIFI_SCAN_MAX: keeps it
 * sorted by signal, keeps the strongest per SSID, which is secure when any of that name is, and leaves out hidden ones and names that are not
 * UTF-8 (they could not be written into JSON and back).
 */
void wifi_networks_add(wifi_network_t *list, size_t *count, const wifi_network_t *found);

bool utf8_is_valid(const char *text);
