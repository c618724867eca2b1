/* The API of esp-mqtt. */
#include "mqtt_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_log.h"
#include "mqtt_client_priv.h"

static const char *TAG = "mqtt_client";

static pthread_once_t s_mosquitto_once = PTHREAD_ONCE_INIT;

static void init_mosquitto(void)
{
    mosquitto_lib_init();
}

void mqtt_client_dispatch(esp_mqtt_client_handle_t client, esp_mqtt_event_t *event)
{
    event->client = client;
    event->error_handle = &client->error;
    event->protocol_ver = MQTT_PROTOCOL_V_3_1_1;
    for (size_t i = 0;; i++) {
        host_monitor_lock(&client->monitor);
        bool is_there = i < client->handler_count;
        esp_event_handler_t handler = is_there ? client->handlers[i].handler : NULL;
        void *arg = is_there ? client->handlers[i].arg : NULL;
        esp_mqtt_event_id_t wanted = is_there ? client->handlers[i].event : MQTT_EVENT_ANY;
        host_monitor_unlock(&client->monitor);
        if (!is_there) {
            return;
        }
        if (wanted == MQTT_EVENT_ANY || wanted == event->event_id) {
            handler(arg, "MQTT_EVENTS", (int32_t)event->event_id, event);
        }
    }
}

/* "mqtts://host:port/…" to its parts; IPv6 addresses stand in brackets. */
static bool parse_uri(esp_mqtt_client_handle_t client, const char *uri)
{
    const char *rest;
    if (strncasecmp(uri, "mqtts://", 8) == 0) {
        client->is_tls = true;
        client->port = 8883;
        rest = uri + 8;
    } else if (strncasecmp(uri, "mqtt://", 7) == 0) {
        client->port = 1883;
        rest = uri + 7;
    } else {
        return false;
    }
    bool is_bracketed = rest[0] == '[';
    rest += is_bracketed ? 1 : 0;
    size_t length = strcspn(rest, is_bracketed ? "]" : ":/?");
    client->host = strndup(rest, length);
    rest += length;
    rest += is_bracketed && *rest == ']' ? 1 : 0;
    if (*rest == ':') {
        client->port = atoi(rest + 1);
    }
    return client->host != NULL && length > 0 && client->port > 0 && client->port <= 65535;
}

static const char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static int will_length(const struct last_will_t *will)
{
    return will->msg_len > 0 ? will->msg_len : will->msg != NULL ? (int)strlen(will->msg) : 0;
}

/* Certificates and keys stay the caller's, as in esp-mqtt; everything else is copied. */
static void copy_config(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config)
{
    client->config = *config;
    client->config.broker.address.uri = NULL;
    client->config.broker.verification.common_name =
        copy(config->broker.verification.common_name);
    client->config.credentials.client_id = copy(config->credentials.client_id);
    client->config.credentials.username = copy(config->credentials.username);
    client->config.credentials.authentication.password =
        copy(config->credentials.authentication.password);
    memset(&client->config.session.last_will, 0, sizeof client->config.session.last_will);
}

static bool create_mosquitto(esp_mqtt_client_handle_t client,
                             const esp_mqtt_client_config_t *config)
{
    const struct last_will_t *will = &config->session.last_will;
    client->mosquitto = mosquitto_new(client->config.credentials.client_id,
                                      !config->session.disable_clean_session, client);
    if (client->mosquitto == NULL) {
        return false;
    }
    mosquitto_int_option(client->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
    /* A DISCONNECT that TCP holds back is lost when the socket closes with something unread. */
    mosquitto_int_option(client->mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_threaded_set(client->mosquitto, true);
    mqtt_client_set_callbacks(client);
    if (will->topic != NULL &&
        mosquitto_will_set(client->mosquitto, will->topic, will_length(will), will->msg, will->qos,
                           will->retain != 0) != MOSQ_ERR_SUCCESS) {
        return false;
    }
    return config->credentials.username == NULL ||
           mosquitto_username_pw_set(client->mosquitto, client->config.credentials.username,
                                     client->config.credentials.authentication.password) ==
               MOSQ_ERR_SUCCESS;
}

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config)
{
    pthread_once(&s_mosquitto_once, init_mosquitto);
    esp_mqtt_client_handle_t client = calloc(1, sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    host_monitor_init(&client->monitor);
    copy_config(client, config);
    if (config->broker.address.uri == NULL || !parse_uri(client, config->broker.address.uri) ||
        !create_mosquitto(client, config)) {
        ESP_LOGE(TAG, "the configuration has no usable broker address, client id or last will");
        esp_mqtt_client_destroy(client);
        return NULL;
    }
    return client;
}

esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t event,
                                         esp_event_handler_t event_handler,
                                         void *event_handler_arg)
{
    if (client == NULL || event_handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    host_monitor_lock(&client->monitor);
    bool has_room = client->handler_count < MQTT_MAX_HANDLERS;
    if (has_room) {
        size_t i = client->handler_count++;
        client->handlers[i].event = event;
        client->handlers[i].handler = event_handler;
        client->handlers[i].arg = event_handler_arg;
    }
    host_monitor_unlock(&client->monitor);
    return has_room ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_FAIL;
    host_monitor_lock(&client->monitor);
    if (client->is_running) {
        ESP_LOGE(TAG, "Client has started");
    } else {
        client->is_running = true;
        client->is_stop_wanted = false;
        client->is_reconnect_wanted = false;
        client->state = MQTT_CLIENT_CONNECTING;
        int stack = client->config.task.stack_size > 0 ? client->config.task.stack_size : 6144;
        if (xTaskCreate(mqtt_client_run, "mqtt_task", (uint32_t)stack, client, 5, &client->task) ==
            pdPASS) {
            err = ESP_OK;
        } else {
            client->is_running = false;
        }
    }
    host_monitor_unlock(&client->monitor);
    return err;
}

esp_err_t esp_mqtt_client_stop(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_FAIL;
    host_monitor_lock(&client->monitor);
    if (!client->is_running) {
        ESP_LOGW(TAG, "Client asked to stop, but was not started");
    } else if (client->task == xTaskGetCurrentTaskHandle()) {
        ESP_LOGE(TAG, "Client cannot be stopped from MQTT task");
    } else {
        client->is_stop_wanted = true;
        host_monitor_notify(&client->monitor);
        while (client->is_running) {
            host_monitor_wait(&client->monitor);
        }
        err = ESP_OK;
    }
    host_monitor_unlock(&client->monitor);
    return err;
}

esp_err_t esp_mqtt_client_destroy(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    host_monitor_lock(&client->monitor);
    bool is_running = client->is_running;
    host_monitor_unlock(&client->monitor);
    if (is_running) {
        esp_mqtt_client_stop(client);
    }
    if (client->mosquitto != NULL) {
        mosquitto_destroy(client->mosquitto);
    }
    SSL_CTX_free(client->tls);
    free((char *)client->config.broker.verification.common_name);
    free((char *)client->config.credentials.client_id);
    free((char *)client->config.credentials.username);
    free((char *)client->config.credentials.authentication.password);
    free(client->host);
    host_monitor_destroy(&client->monitor);
    free(client);
    return ESP_OK;
}

esp_err_t esp_mqtt_client_reconnect(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    host_monitor_lock(&client->monitor);
    bool is_waiting = client->state == MQTT_CLIENT_WAITING;
    if (is_waiting) {
        client->is_reconnect_wanted = true;
        host_monitor_notify(&client->monitor);
    }
    host_monitor_unlock(&client->monitor);
    return is_waiting ? ESP_OK : ESP_FAIL;
}

bool mqtt_client_settle(esp_mqtt_client_handle_t client, int msg_id)
{
    bool is_found = false;
    host_monitor_lock(&client->monitor);
    for (size_t i = 0; i < client->outbox_count && !is_found; i++) {
        if (client->outbox[i].msg_id == msg_id) {
            client->outbox[i] = client->outbox[--client->outbox_count];
            is_found = true;
        }
    }
    host_monitor_unlock(&client->monitor);
    return is_found;
}

/* With the monitor locked. */
static int outbox_bytes(esp_mqtt_client_handle_t client)
{
    int bytes = 0;
    for (size_t i = 0; i < client->outbox_count; i++) {
        bytes += client->outbox[i].bytes;
    }
    return bytes;
}

/* With the monitor locked, so that the acknowledgement cannot overtake the entry. */
static int publish_locked(esp_mqtt_client_handle_t client, const char *topic, const char *data,
                          int len, int qos, int retain)
{
    uint64_t limit = client->config.outbox.limit;
    bool is_full = limit > 0 && (uint64_t)(outbox_bytes(client) + len) > limit;
    if (qos > 0 && (is_full || client->outbox_count == MQTT_MAX_OUTBOX)) {
        return -2;
    }
    if (qos == 0 && client->state != MQTT_CLIENT_CONNECTED) {
        ESP_LOGW(TAG, "Publish: Losing qos0 data when client not connected");
        return -1;
    }
    int msg_id = 0;
    int code = mosquitto_publish(client->mosquitto, &msg_id, topic, len, data, qos, retain != 0);
    /* A message of QoS > 0 is kept and sent once the connection is there. */
    bool is_kept = code == MOSQ_ERR_SUCCESS || (qos > 0 && code == MOSQ_ERR_NO_CONN);
    if (!is_kept) {
        return -1;
    }
    if (qos == 0) {
        return 0;
    }
    client->outbox[client->outbox_count].msg_id = msg_id;
    client->outbox[client->outbox_count].bytes = len;
    client->outbox_count++;
    return msg_id;
}

int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char *topic, const char *data,
                            int len, int qos, int retain)
{
    if (client == NULL) {
        return -1;
    }
    if (len <= 0 && data != NULL) {
        len = (int)strlen(data);
    }
    host_monitor_lock(&client->monitor);
    int msg_id = publish_locked(client, topic, data, len, qos, retain);
    host_monitor_unlock(&client->monitor);
    return msg_id;
}

int esp_mqtt_client_subscribe_single(esp_mqtt_client_handle_t client, const char *topic, int qos)
{
    int msg_id = 0;
    bool is_sent = client != NULL && mosquitto_subscribe(client->mosquitto, &msg_id, topic, qos) ==
                                         MOSQ_ERR_SUCCESS;
    return is_sent ? msg_id : -1;
}
