/* The MQTT client's handle; shared by its files. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "host_connection.h"
#include "mqtt_client.h"
#include "mqtt_outbox.h"
#include "mqtt_packet.h"
#include "mqtt_reader.h"

#define MQTT_MAX_HANDLERS 8

typedef enum {
    MQTT_STATE_INIT, /* about to connect */
    MQTT_STATE_DISCONNECTED,
    MQTT_STATE_CONNECTED,
    MQTT_STATE_WAIT_RECONNECT,
} mqtt_client_state_t;

enum { MQTT_STOPPED_BIT = 1 << 0, MQTT_RECONNECT_BIT = 1 << 1, MQTT_DISCONNECT_BIT = 1 << 2 };

typedef struct {
    esp_mqtt_event_id_t event;
    esp_event_handler_t handler;
    void *arg;
} mqtt_handler_t;

struct esp_mqtt_client {
    esp_mqtt_client_config_t config; /* with the defaults; certificates and keys are not copied, strings are */
    host_endpoint_t endpoint;
    mqtt_connect_t connect;

    EventGroupHandle_t bits;
    _Atomic mqtt_client_state_t state;
    atomic_bool runs;
    atomic_int wait_ms; /* before a reconnection */

    /* Recursive. Whoever touches what is below holds it; so does the task for as long as it connects. */
    SemaphoreHandle_t lock;
    TaskHandle_t task;
    mqtt_handler_t handlers[MQTT_MAX_HANDLERS];
    size_t handler_count;
    host_connection_t connection;
    mqtt_reader_t in;
    mqtt_writer_t out;
    mqtt_outbox_t outbox;
    esp_mqtt_error_codes_t error;
    bool awaits_pong;
    int64_t lost_ms, connected_ms, heard_ms, retransmitted_ms;
};

/** The client's task, until its client is stopped. */
void mqtt_client_run(void *client);

void mqtt_lock(esp_mqtt_client_handle_t client);
void mqtt_unlock(esp_mqtt_client_handle_t client);
int64_t mqtt_now_ms(void);
/** Any but 0, at random. */
uint16_t mqtt_new_id(void);

/* With the lock: */

/** Takes in what has come. @return false when that ends the connection */
bool mqtt_receive(esp_mqtt_client_handle_t client);
/** Calls the handlers in the calling task: whoever publishes may find the connection broken. */
void mqtt_dispatch(esp_mqtt_client_handle_t client, esp_mqtt_event_t event);
/** MQTT_EVENT_ERROR with what the connection knows, which is nothing where the bytes themselves were wrong. */
void mqtt_report_transport(esp_mqtt_client_handle_t client);
/** @return false after an MQTT_EVENT_ERROR, or after none when the peer took nothing in time */
bool mqtt_send(esp_mqtt_client_handle_t client, const uint8_t *bytes, size_t length);
/** Sends what was just written. @param fits what writing it returned */
bool mqtt_send_packet(esp_mqtt_client_handle_t client, bool fits);
/** Ends the connection and says so. */
void mqtt_abort(esp_mqtt_client_handle_t client);
