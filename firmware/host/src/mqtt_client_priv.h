/* The MQTT client's handle; shared by its files. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <mosquitto.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host_monitor.h"
#include "host_tls.h"
#include "mqtt_client.h"

#define MQTT_MAX_HANDLERS 8
#define MQTT_MAX_OUTBOX 64

typedef enum {
    MQTT_CLIENT_STOPPED,
    MQTT_CLIENT_CONNECTING,
    MQTT_CLIENT_CONNECTED,
    MQTT_CLIENT_WAITING, /* to reconnect */
} mqtt_client_state_t;

struct esp_mqtt_client {
    esp_mqtt_client_config_t config; /* strings copied, certificates and keys not */
    char *host;
    int port;
    bool is_tls;

    host_monitor_t monitor; /* guards all below */
    mqtt_client_state_t state;
    bool is_running;
    bool is_stop_wanted;
    bool is_reconnect_wanted;
    TaskHandle_t task;
    struct {
        esp_mqtt_event_id_t event;
        esp_event_handler_t handler;
        void *arg;
    } handlers[MQTT_MAX_HANDLERS];
    size_t handler_count;
    struct {
        int msg_id;
        int bytes;
    } outbox[MQTT_MAX_OUTBOX]; /* published with QoS > 0 and not acknowledged */
    size_t outbox_count;

    struct mosquitto *mosquitto;

    /* Of the task only. */
    SSL_CTX *tls;
    host_tls_trace_t trace;
    bool has_connack;
    int refusal; /* CONNACK return code */
    bool is_silent; /* esp-mqtt has no error event for how this attempt ended */
    esp_mqtt_error_codes_t error;
};

/** Call the handlers in the calling thread, which is the client's task. */
void mqtt_client_dispatch(esp_mqtt_client_handle_t client, esp_mqtt_event_t *event);
/** The client's task. */
void mqtt_client_run(void *client);
/** Connect libmosquitto's callbacks. */
void mqtt_client_set_callbacks(esp_mqtt_client_handle_t client);
/** Forget an acknowledged message; false when it was none of QoS > 0. */
bool mqtt_client_settle(esp_mqtt_client_handle_t client, int msg_id);
