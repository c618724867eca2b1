/*
 * The air: air.json (networks and faults) and aps/<mac>.json (SoftAPs of other boards), read
 * again at every scan and connection. See cli/lab/air/air-file.ts for the same shapes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_wifi_types.h"
#include "host_pmk.h"

#define HOST_AIR_MAX_NETWORKS 64

typedef struct {
    char ssid[33];
    uint8_t bssid[6];
    uint8_t channel;
    int8_t rssi;
    wifi_auth_mode_t auth;
    bool is_hidden;
    char psk[65];               /* passphrase; empty for open networks and SoftAPs */
    bool has_pmk;               /* SoftAPs announce the key instead of the passphrase */
    uint8_t pmk[HOST_PMK_LEN];
    /* faults */
    bool has_no_dhcp;
    bool has_no_dns;
    uint8_t reject_reason; /* 0 = none */
    unsigned fail_first;   /* this many attempts end with reason 2 */
    int drop_after_ms;     /* 0 = never */
} host_air_network_t;

typedef struct {
    host_air_network_t networks[HOST_AIR_MAX_NETWORKS];
    size_t count;
    bool is_sntp_blocked;
    bool does_ap_vanish;
} host_air_t;

struct cJSON;

/** A network as a scan saw it: ssid, bssid, channel, rssi, auth. False when it is malformed. */
bool host_air_parse_sighting(const struct cJSON *json, host_air_network_t *network);

/** Read the air. NULL without memory; a missing or broken air is an empty one. */
host_air_t *host_air_read(void);
void host_air_free(host_air_t *air);

/** Whether the reply to `call` ("POST /provision") is to be lost. */
bool host_air_is_reply_lost(const char *call);

/** Whether SNTP servers are unreachable. */
bool host_air_is_sntp_blocked(void);
