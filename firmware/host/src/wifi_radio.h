/*
 * A real radio instead of the air file: PROV_HOST_RADIO names the UNIX socket of a program that
 * drives one (wpa_supplicant, say). One JSON document a line.
 *
 *   board → radio   {"op":"scan"}  {"op":"connect","id":n,"ssid":…,"password":…}
 *                   {"op":"disconnect"}
 *   radio → board   {"event":"scanned","networks":[{"ssid","bssid","rssi","channel","auth"},…]}
 *                   {"event":"associated","id","ssid","bssid","rssi","channel","auth"}
 *                   {"event":"address","id","ip","netmask","gateway"}
 *                   {"event":"disconnected","id","reason":n}   IEEE 802.11 or ESP-IDF's reason
 *
 * `id` tells the events of the current connection from those of one that was given up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_netif_types.h"
#include "host_air.h"

/** What becomes of the radio's events; called from its reader thread. */
typedef struct {
    void (*take_scan)(const host_air_t *air);                      /* the scan has ended with these networks */
    void (*take_association)(const host_air_network_t *network);   /* the station is associated */
    void (*take_address)(const esp_netif_ip_info_t *ip_info);      /* DHCP has given an address */
    void (*take_end)(uint8_t reason);                              /* the connection failed or ended */
} wifi_radio_listener_t;

/** Connects to the radio, if there is one, and reports to `listener` from then on; later calls do nothing. */
void wifi_radio_open(const wifi_radio_listener_t *listener);
bool wifi_radio_is_used(void);

/** Requests; never block for long. */
void wifi_radio_scan(void);
void wifi_radio_connect(const char *ssid, const char *password);
void wifi_radio_disconnect(void);
