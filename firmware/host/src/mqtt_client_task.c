/*
 * The client's task: connect, serve, report, wait, again. libmosquitto's own thread would swallow
 * the reason of a failed connection, so this one drives mosquitto_loop itself.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "esp_log.h"
#include "host_link.h"
#include "host_net_probe.h"
#include "mbedtls/net_sockets.h"
#include "mbedtls/ssl.h"
#include "mqtt_client_priv.h"

#define LOOP_MS 50
#define DEFAULT_TIMEOUT_MS 10000
#define DEFAULT_RECONNECT_MS 10000
#define DEFAULT_KEEPALIVE_S 120
#define MIN_KEEPALIVE_S 5 /* libmosquitto's */

static const char *TAG = "mqtt_client";

static void dispatch_id(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t id)
{
    esp_mqtt_event_t event = {.event_id = id};
    mqtt_client_dispatch(client, &event);
}

static void on_connect(struct mosquitto *mosquitto, void *argument, int code, int flags)
{
    (void)mosquitto;
    esp_mqtt_client_handle_t client = argument;
    client->has_connack = true;
    client->refusal = code;
    if (code != 0) {
        return;
    }
    host_monitor_lock(&client->monitor);
    client->state = MQTT_CLIENT_CONNECTED;
    host_monitor_unlock(&client->monitor);
    esp_mqtt_event_t event = {.event_id = MQTT_EVENT_CONNECTED, .session_present = flags & 1};
    mqtt_client_dispatch(client, &event);
}

static void on_publish(struct mosquitto *mosquitto, void *argument, int msg_id)
{
    (void)mosquitto;
    esp_mqtt_client_handle_t client = argument;
    if (mqtt_client_settle(client, msg_id)) {
        esp_mqtt_event_t event = {.event_id = MQTT_EVENT_PUBLISHED, .msg_id = msg_id};
        mqtt_client_dispatch(client, &event);
    }
}

static void on_subscribe(struct mosquitto *mosquitto, void *argument, int msg_id, int count,
                         const int *granted)
{
    (void)mosquitto;
    (void)count;
    (void)granted;
    esp_mqtt_event_t event = {.event_id = MQTT_EVENT_SUBSCRIBED, .msg_id = msg_id};
    mqtt_client_dispatch(argument, &event);
}

static void on_message(struct mosquitto *mosquitto, void *argument,
                       const struct mosquitto_message *message)
{
    (void)mosquitto;
    esp_mqtt_event_t event = {.event_id = MQTT_EVENT_DATA,
                              .topic = message->topic,
                              .topic_len = (int)strlen(message->topic),
                              .data = message->payload,
                              .data_len = message->payloadlen,
                              .total_data_len = message->payloadlen,
                              .msg_id = message->mid,
                              .qos = message->qos,
                              .retain = message->retain};
    mqtt_client_dispatch(argument, &event);
}

void mqtt_client_set_callbacks(esp_mqtt_client_handle_t client)
{
    mosquitto_connect_with_flags_callback_set(client->mosquitto, on_connect);
    mosquitto_publish_callback_set(client->mosquitto, on_publish);
    mosquitto_subscribe_callback_set(client->mosquitto, on_subscribe);
    mosquitto_message_callback_set(client->mosquitto, on_message);
}

static void note_error(esp_mqtt_client_handle_t client, esp_err_t error, int stack_error,
                       int sock_errno)
{
    client->error.esp_tls_last_esp_err = error;
    client->error.esp_tls_stack_err = stack_error;
    client->error.esp_transport_sock_errno = sock_errno;
}

static int timeout_ms(esp_mqtt_client_handle_t client)
{
    int configured = client->config.network.timeout_ms;
    return configured > 0 ? configured : DEFAULT_TIMEOUT_MS;
}

/* A context for this attempt: the board's clock may have been set since the last one. */
static bool prepare_tls(esp_mqtt_client_handle_t client)
{
    const esp_mqtt_client_config_t *config = &client->config;
    const char *name = config->broker.verification.common_name;
    host_tls_config_t tls = {
        .ca_pem = config->broker.verification.certificate,
        .has_bundle = config->broker.verification.crt_bundle_attach != NULL,
        .cert_pem = config->credentials.authentication.certificate,
        .key_pem = config->credentials.authentication.key,
        .host = name != NULL ? name : client->host,
        .is_name_check_skipped = config->broker.verification.skip_cert_common_name_check,
    };
    memset(&client->trace, 0, sizeof client->trace);
    SSL_CTX_free(client->tls);
    client->tls = SSL_CTX_new(TLS_client_method());
    esp_err_t err = client->tls != NULL ? host_tls_prepare(client->tls, &tls, &client->trace)
                                        : ESP_ERR_NO_MEM;
    if (err != ESP_OK) {
        note_error(client, err, 0, 0);
        return false;
    }
    mosquitto_int_option(client->mosquitto, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option(client->mosquitto, MOSQ_OPT_SSL_CTX, client->tls);
    return true;
}

static bool is_reachable(esp_mqtt_client_handle_t client)
{
    host_link_t link = host_link_get();
    if (!host_is_ip_address(client->host) && !link.does_resolve) {
        note_error(client, ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME, 0, 0);
        return false;
    }
    if (!link.is_up) {
        note_error(client, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, 0, EHOSTUNREACH);
        return false;
    }
    return true;
}

/* Why libmosquitto gave up, in the words of esp-tls. */
static void explain(esp_mqtt_client_handle_t client, int code, int sock_errno)
{
    esp_tls_last_error_t error = {0};
    if (host_tls_describe(&client->trace, &error) ||
        (client->is_tls && host_tls_describe_hang_up(&client->trace, &error))) {
        client->error.esp_tls_cert_verify_flags = error.esp_tls_flags;
        note_error(client, error.last_error, error.esp_tls_error_code, 0);
    } else if (code == MOSQ_ERR_EAI) {
        note_error(client, ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME, 0, 0);
    } else if (code == MOSQ_ERR_PROTOCOL || code == MOSQ_ERR_MALFORMED_PACKET || code == MOSQ_ERR_NOT_SUPPORTED) {
        /* Without a CONNACK for an answer, esp-mqtt gives up and says nothing. */
        client->is_silent = !client->has_connack;
        note_error(client, ESP_OK, 0, 0);
    } else if (client->trace.is_handshake_done && sock_errno == ECONNRESET) {
        note_error(client, ESP_OK, -MBEDTLS_ERR_NET_CONN_RESET, sock_errno);
    } else if (client->trace.is_handshake_done || code == MOSQ_ERR_CONN_LOST || code == MOSQ_ERR_TLS) {
        note_error(client, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, 0, 0);
    } else {
        note_error(client, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, 0, sock_errno);
    }
}

static bool open_connection(esp_mqtt_client_handle_t client)
{
    if (!is_reachable(client) || (client->is_tls && !prepare_tls(client))) {
        return false;
    }
    int keepalive = client->config.session.keepalive > 0 ? client->config.session.keepalive
                                                         : DEFAULT_KEEPALIVE_S;
    if (keepalive < MIN_KEEPALIVE_S) {
        keepalive = MIN_KEEPALIVE_S;
    }
    int unreachable = host_net_probe(client->host, client->port, timeout_ms(client));
    if (unreachable != 0) {
        bool is_late = unreachable == ETIMEDOUT;
        note_error(client, is_late ? ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT
                                   : ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, 0,
                   is_late ? 0 : unreachable);
        return false;
    }
    errno = 0;
    int code = mosquitto_connect(client->mosquitto, client->host, client->port, keepalive);
    if (code != MOSQ_ERR_SUCCESS) {
        int sock_errno = errno;
        ESP_LOGD(TAG, "mosquitto_connect: %s", mosquitto_strerror(code));
        explain(client, code, sock_errno);
        return false;
    }
    return true;
}

static bool is_stop_wanted(esp_mqtt_client_handle_t client)
{
    host_monitor_lock(&client->monitor);
    bool is_wanted = client->is_stop_wanted;
    host_monitor_unlock(&client->monitor);
    return is_wanted;
}

/* Close the TCP connection; without a DISCONNECT before it, the broker publishes the last will. */
static void cut(esp_mqtt_client_handle_t client)
{
    int fd = mosquitto_socket(client->mosquitto);
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
        mosquitto_loop(client->mosquitto, 0, 1); /* notices, and closes its side */
    }
}

/*
 * Put DISCONNECT on the wire, behind all that waits to be written. Nothing is read meanwhile: libmosquitto takes an
 * acknowledgement that comes now for a fault, and closes with the DISCONNECT unsent.
 */
static void leave(esp_mqtt_client_handle_t client)
{
    int64_t deadline = host_uptime_us() + (int64_t)timeout_ms(client) * 1000;
    bool is_sending = client->has_connack && mosquitto_disconnect(client->mosquitto) == MOSQ_ERR_SUCCESS;
    while (is_sending && mosquitto_want_write(client->mosquitto) && host_uptime_us() < deadline) {
        struct pollfd socket = {.fd = mosquitto_socket(client->mosquitto), .events = POLLOUT};
        is_sending = socket.fd >= 0 && poll(&socket, 1, LOOP_MS) >= 0 &&
                     mosquitto_loop_write(client->mosquitto, 1) == MOSQ_ERR_SUCCESS;
    }
    cut(client);
}

/* Serve the connection until it ends. @return false when it ended by a failure. */
static bool serve(esp_mqtt_client_handle_t client)
{
    int64_t connack_deadline = host_uptime_us() + (int64_t)timeout_ms(client) * 1000;
    uint32_t generation = host_link_get().generation;
    for (;;) {
        if (is_stop_wanted(client)) {
            leave(client);
            return true;
        }
        errno = 0;
        int code = mosquitto_loop(client->mosquitto, LOOP_MS, 1);
        if (client->has_connack && client->refusal != 0) {
            return false;
        }
        if (code != MOSQ_ERR_SUCCESS) {
            int sock_errno = errno;
            ESP_LOGD(TAG, "mosquitto_loop: %s", mosquitto_strerror(code));
            explain(client, code, sock_errno);
            return false;
        }
        if (host_link_get().generation != generation) { /* lwIP aborts what lost its interface */
            note_error(client, ESP_OK, 0, ECONNABORTED);
            return false;
        }
        if (!client->has_connack && host_uptime_us() > connack_deadline) {
            client->is_silent = !client->is_tls || client->trace.is_handshake_done;
            note_error(client, ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT, 0, 0);
            return false;
        }
    }
}

static void report_failure(esp_mqtt_client_handle_t client)
{
    bool is_refused = client->has_connack && client->refusal != 0;
    if (is_refused) {
        memset(&client->error, 0, sizeof client->error);
        client->error.error_type = MQTT_ERROR_TYPE_CONNECTION_REFUSED;
        client->error.connect_return_code = (esp_mqtt_connect_return_code_t)client->refusal;
        ESP_LOGW(TAG, "Connection refused, code %d", client->refusal);
    } else {
        client->error.error_type = MQTT_ERROR_TYPE_TCP_TRANSPORT;
        ESP_LOGE(TAG, "Error transport connect");
    }
    dispatch_id(client, MQTT_EVENT_ERROR);
}

static void attempt(esp_mqtt_client_handle_t client)
{
    memset(&client->error, 0, sizeof client->error);
    memset(&client->trace, 0, sizeof client->trace);
    client->has_connack = false;
    client->is_silent = false;
    client->refusal = 0;
    dispatch_id(client, MQTT_EVENT_BEFORE_CONNECT);
    bool is_orderly = open_connection(client) && serve(client);
    if (!is_orderly) {
        cut(client);
    }
    if (is_stop_wanted(client)) {
        return; /* esp-mqtt says nothing after stop */
    }
    host_monitor_lock(&client->monitor);
    client->state = MQTT_CLIENT_WAITING;
    host_monitor_unlock(&client->monitor);
    if (!is_orderly && !client->is_silent) {
        report_failure(client);
    }
    dispatch_id(client, MQTT_EVENT_DISCONNECTED);
}

/*
 * Wait for the next attempt. Like esp-mqtt it looks at what else is wanted of it after half of that pause only,
 * also where it will not reconnect by itself: whoever stops it meanwhile waits.
 * @return false when the client is to stop instead
 */
static bool wait_to_reconnect(esp_mqtt_client_handle_t client)
{
    int wait_ms = client->config.network.reconnect_timeout_ms > 0
                      ? client->config.network.reconnect_timeout_ms
                      : DEFAULT_RECONNECT_MS;
    bool is_automatic = !client->config.network.disable_auto_reconnect;
    int64_t due_us = host_uptime_us() + (int64_t)wait_ms * 1000;
    bool is_again = false;
    host_monitor_lock(&client->monitor);
    while (!client->is_stop_wanted && !is_again) {
        int64_t look_us = host_uptime_us() + (int64_t)wait_ms * 1000 / 2;
        while (!client->is_reconnect_wanted && host_monitor_wait_until(&client->monitor, look_us)) {
        }
        is_again = client->is_reconnect_wanted || (is_automatic && host_uptime_us() >= due_us);
    }
    is_again = is_again && !client->is_stop_wanted;
    client->is_reconnect_wanted = false;
    client->state = is_again ? MQTT_CLIENT_CONNECTING : MQTT_CLIENT_STOPPED;
    host_monitor_unlock(&client->monitor);
    return is_again;
}

void mqtt_client_run(void *argument)
{
    esp_mqtt_client_handle_t client = argument;
    host_monitor_lock(&client->monitor); /* until start() noted our handle */
    host_monitor_unlock(&client->monitor);
    do {
        attempt(client);
    } while (wait_to_reconnect(client));

    host_monitor_lock(&client->monitor);
    client->is_running = false;
    client->task = NULL;
    client->state = MQTT_CLIENT_STOPPED;
    host_monitor_notify(&client->monitor);
    host_monitor_unlock(&client->monitor);
    vTaskDelete(NULL);
}
