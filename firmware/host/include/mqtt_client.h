/*
 * esp-mqtt: MQTT 3.1.1 over TCP and TLS, as the image builds it: without MQTT 5, WebSockets and MQTT_EVENT_DELETED.
 * What the configuration lacks here is not there on the host.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "esp_err.h"
#include "esp_event.h"
#include "esp_transport.h"

typedef struct esp_mqtt_client *esp_mqtt_client_handle_t;

typedef enum esp_mqtt_event_id_t {
    MQTT_EVENT_ANY = -1,
    MQTT_EVENT_ERROR = 0,
    MQTT_EVENT_CONNECTED,
    MQTT_EVENT_DISCONNECTED,
    MQTT_EVENT_SUBSCRIBED,
    MQTT_EVENT_UNSUBSCRIBED,
    MQTT_EVENT_PUBLISHED,
    MQTT_EVENT_DATA,
    MQTT_EVENT_BEFORE_CONNECT,
    MQTT_EVENT_DELETED,
    MQTT_USER_EVENT,
} esp_mqtt_event_id_t;

typedef enum esp_mqtt_connect_return_code_t {
    MQTT_CONNECTION_ACCEPTED = 0,
    MQTT_CONNECTION_REFUSE_PROTOCOL,
    MQTT_CONNECTION_REFUSE_ID_REJECTED,
    MQTT_CONNECTION_REFUSE_SERVER_UNAVAILABLE,
    MQTT_CONNECTION_REFUSE_BAD_USERNAME,
    MQTT_CONNECTION_REFUSE_NOT_AUTHORIZED
} esp_mqtt_connect_return_code_t;

typedef enum esp_mqtt_error_type_t {
    MQTT_ERROR_TYPE_NONE = 0,
    MQTT_ERROR_TYPE_TCP_TRANSPORT,
    MQTT_ERROR_TYPE_CONNECTION_REFUSED,
    MQTT_ERROR_TYPE_SUBSCRIBE_FAILED
} esp_mqtt_error_type_t;

typedef enum esp_mqtt_protocol_ver_t {
    MQTT_PROTOCOL_UNDEFINED = 0,
    MQTT_PROTOCOL_V_3_1_1 = 2,
} esp_mqtt_protocol_ver_t;

typedef struct esp_mqtt_error_codes {
    esp_err_t esp_tls_last_esp_err;
    int esp_tls_stack_err;
    int esp_tls_cert_verify_flags;
    esp_mqtt_error_type_t error_type;
    esp_mqtt_connect_return_code_t connect_return_code;
    int esp_transport_sock_errno;
} esp_mqtt_error_codes_t;

typedef struct esp_mqtt_event_t {
    esp_mqtt_event_id_t event_id;
    esp_mqtt_client_handle_t client;
    char *data;
    int data_len;
    int total_data_len;
    int current_data_offset;
    char *topic;
    int topic_len;
    int msg_id;
    int session_present;
    esp_mqtt_error_codes_t *error_handle;
    bool retain;
    int qos;
    bool dup;
    esp_mqtt_protocol_ver_t protocol_ver;
} esp_mqtt_event_t;

typedef esp_mqtt_event_t *esp_mqtt_event_handle_t;

typedef struct esp_mqtt_client_config_t {
    struct broker_t {
        struct address_t {
            const char *uri; /* mqtt:// or mqtts:// */
        } address;
        struct verification_t {
            esp_err_t (*crt_bundle_attach)(void *conf);
            const char *certificate; /* PEM; not copied */
            bool skip_cert_common_name_check;
            const char *common_name; /* not copied */
        } verification;
    } broker;
    struct credentials_t {
        const char *username;
        const char *client_id;
        struct authentication_t {
            const char *password;
            const char *certificate; /* PEM; not copied */
            const char *key;         /* PEM; not copied */
        } authentication;
    } credentials;
    struct session_t {
        struct last_will_t {
            const char *topic;
            const char *msg;
            int msg_len;
            int qos;
            int retain;
        } last_will;
        bool disable_clean_session;
        int keepalive; /* s; 0 = 120 */
        bool disable_keepalive;
        esp_mqtt_protocol_ver_t protocol_ver;
        int message_retransmit_timeout; /* ms; 0 = 1000 */
    } session;
    struct network_t {
        int reconnect_timeout_ms;        /* 0 = 10000 */
        int timeout_ms;                  /* 0 = 10000 */
        int refresh_connection_after_ms; /* 0 = never */
        bool disable_auto_reconnect;
    } network;
    struct task_t {
        int priority;
        int stack_size;
    } task;
    struct buffer_t {
        int size;     /* 0 = 1024 */
        int out_size; /* 0 = size */
    } buffer;
    struct outbox_config_t {
        uint64_t limit; /* bytes; 0 = none */
    } outbox;
} esp_mqtt_client_config_t;

/** NULL for a bad URI, for certificates without TLS, or without memory. */
esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config);
/** ESP_FAIL when it runs. */
esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client);
/**
 * Says DISCONNECT where there is a connection, and waits for the task's end, which in a pause before a reconnection is
 * half of it away. ESP_FAIL when the client does not run, or in its own event handler.
 */
esp_err_t esp_mqtt_client_stop(esp_mqtt_client_handle_t client);
esp_err_t esp_mqtt_client_destroy(esp_mqtt_client_handle_t client);
/** ESP_FAIL unless the client waits to reconnect. */
esp_err_t esp_mqtt_client_reconnect(esp_mqtt_client_handle_t client);
/** Says DISCONNECT and ends the connection. */
esp_err_t esp_mqtt_client_disconnect(esp_mqtt_client_handle_t client);
/** Handlers run in the client's own task, or in one that publishes when the connection breaks. */
esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t event,
                                         esp_event_handler_t event_handler,
                                         void *event_handler_arg);
/** Message id, or -1 on failure: there must be a connection. */
int esp_mqtt_client_subscribe_single(esp_mqtt_client_handle_t client, const char *topic, int qos);
#define esp_mqtt_client_subscribe(client, topic, qos)                                              \
    esp_mqtt_client_subscribe_single(client, topic, qos)
int esp_mqtt_client_unsubscribe(esp_mqtt_client_handle_t client, const char *topic);
/** Message id (0 for QoS 0), -1 on failure, -2 when the outbox is full. Waits while the client connects. */
int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char *topic, const char *data,
                            int len, int qos, int retain);
