/*
 * The inside of the WiFi driver, shared by its files. One lock guards all state; events and the
 * SoftAP's announcement happen after it was released, because handlers and the HTTP server call
 * back into the driver.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "esp_netif_types.h"
#include "esp_wifi.h"
#include "host_air.h"
#include "host_timer.h"
#include "wifi_country.h"

#define WIFI_MAX_EFFECTS 6

typedef enum {
    STATION_IDLE,
    STATION_CONNECTING,
    STATION_CONNECTED, /* associated; DHCP may still run */
} station_state_t;

typedef struct {
    pthread_mutex_t lock;
    bool is_init;
    bool is_started;
    wifi_mode_t mode;
    wifi_storage_t storage;
    char country[3];
    bool does_follow_country; /* IEEE 802.11d */
    wifi_ap_config_t ap_config;
    wifi_sta_config_t sta_config;

    station_state_t station;
    host_air_network_t network;        /* the one the station is on */
    uint8_t connected_bssid_channel;   /* its channel, which the SoftAP has to follow; 0 = none */
    bool is_ap_hidden_by_fault;

    bool is_scanning;
    uint8_t scan_id;
    wifi_ap_record_t *records;
    uint16_t record_count;
} wifi_driver_t;

/* Things to do once the lock is released, in this order. */
typedef struct {
    struct {
        esp_event_base_t base;
        int32_t id;
        union {
            wifi_event_sta_scan_done_t scan_done;
            wifi_event_sta_connected_t connected;
            wifi_event_sta_disconnected_t disconnected;
            ip_event_got_ip_t got_ip;
        } data;
        size_t size;
    } events[WIFI_MAX_EFFECTS];
    size_t count;
    bool has_ap_changed;
} wifi_effects_t;

extern wifi_driver_t g_wifi;

/** Add an event of WIFI_EVENT without data. */
void wifi_effects_add(wifi_effects_t *effects, wifi_event_t id);

void wifi_lock(void);
/** Release the lock and return `err`. */
esp_err_t wifi_unlock(esp_err_t err);
/** Release the lock, then post the events and bring the SoftAP in line; returns `err`. */
esp_err_t wifi_finish(wifi_effects_t *effects, esp_err_t err);

/** The driver's timers: scan and connection take their time. */
host_timer_service_t *wifi_timers(void);

/* With the lock held: */

/** ESP_OK when the driver runs. */
esp_err_t wifi_check_started(void);
/** ESP_OK when the station is there, too. */
esp_err_t wifi_check_station(void);

/** Of a field that a text may fill; `out` has room for one byte more. */
void wifi_copy_text(char *out, const uint8_t *bytes, size_t size);
/** What a scan does on a channel. */
wifi_channel_use_t wifi_channel_use(uint8_t channel);
/** What a scan and the connection say of a network. */
void wifi_describe(const host_air_network_t *network, wifi_ap_record_t *record);

/** Ask the air for the configured network: 0 when g_wifi.network lets the station in, or the reason why not. */
uint8_t wifi_join(void);
/** End whatever the station does, with a disconnect event unless it was idle. */
void wifi_station_leave(wifi_effects_t *effects, uint8_t reason);
/** Break a scan off; its event says so. */
void wifi_scan_abort(wifi_effects_t *effects);

/* What the radio reports, without the lock: see wifi_radio_listener_t. */
void wifi_scan_take(const host_air_t *air);
void wifi_station_take_association(const host_air_network_t *network);
void wifi_station_take_address(const esp_netif_ip_info_t *ip_info);
void wifi_station_take_end(uint8_t reason);
