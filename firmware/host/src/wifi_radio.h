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

/** Whether a real radio is used; connects to it at the first call. */
bool wifi_radio_is_used(void);

/** Requests; answers come through the functions below. Never block for long. */
void wifi_radio_scan(void);
void wifi_radio_connect(const char *ssid, const char *password);
void wifi_radio_disconnect(void);

/* What the driver does with the radio's events; called without its lock, from the reader thread. */

/** wifi_scan.c: the scan has ended with these networks. */
void wifi_scan_take(const host_air_t *air);
/** wifi_station.c: the station is associated. */
void wifi_station_take_association(const host_air_network_t *network);
/** wifi_station.c: DHCP has given an address. */
void wifi_station_take_address(const esp_netif_ip_info_t *ip_info);
/** wifi_station.c: the connection failed or ended. */
void wifi_station_take_end(uint8_t reason);
