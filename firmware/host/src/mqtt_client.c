/* The API of esp-mqtt: a client from its making to its end. */
#include "mqtt_client.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "http_strict.h"
#include "mqtt_client_priv.h"

enum { TCP_PORT = 1883, TLS_PORT = 8883 };

static const char *TAG = "mqtt_client";

/* NULL stays NULL. @return false without memory */
static bool copy(const char **to, const char *bytes, size_t length)
{
    char *text = bytes != NULL ? malloc(length + 1) : NULL;
    if (text != NULL) {
        memcpy(text, bytes, length);
        text[length] = '\0';
    }
    *to = text;
    return bytes == NULL || text != NULL;
}

static bool copy_text(const char **to, const char *text)
{
    return copy(to, text, text != NULL ? strlen(text) : 0);
}

static bool set_uri(host_endpoint_t *endpoint, const char *uri)
{
    struct http_parser_url url;
    http_parser_url_init(&url);
    bool is_url = uri != NULL && http_strict_parse_url(uri, strlen(uri), 0, &url) == 0;
    endpoint->is_tls = is_url && strncasecmp(uri, "mqtts://", 8) == 0;
    if (!is_url || (!endpoint->is_tls && strncasecmp(uri, "mqtt://", 7) != 0)) {
        ESP_LOGE(TAG, "Error parse uri = %s", uri != NULL ? uri : "");
        return false;
    }
    endpoint->port = url.port != 0 ? url.port : endpoint->is_tls ? TLS_PORT : TCP_PORT;
    return copy(&endpoint->host, uri + url.field_data[UF_HOST].off, url.field_data[UF_HOST].len);
}

static void default_to(int *value, int otherwise)
{
    *value = *value > 0 ? *value : otherwise;
}

static void set_defaults(esp_mqtt_client_config_t *config)
{
    default_to(&config->session.keepalive, 120);
    default_to(&config->session.message_retransmit_timeout, 1000);
    default_to(&config->network.timeout_ms, 10000);
    default_to(&config->network.reconnect_timeout_ms, 10000);
    default_to(&config->task.stack_size, 6144);
    default_to(&config->task.priority, 5);
    default_to(&config->buffer.size, 1024);
    default_to(&config->buffer.out_size, config->buffer.size);
}

/* Certificates and keys stay the caller's, as in esp-mqtt. */
static void set_endpoint(host_endpoint_t *endpoint, const esp_mqtt_client_config_t *config)
{
    endpoint->timeout_ms = config->network.timeout_ms;
    endpoint->has_bundle = config->broker.verification.crt_bundle_attach != NULL;
    endpoint->ca_pem = endpoint->has_bundle ? NULL : config->broker.verification.certificate;
    endpoint->cert_pem = config->credentials.authentication.certificate;
    endpoint->key_pem = config->credentials.authentication.key;
    endpoint->common_name = config->broker.verification.common_name;
    endpoint->is_name_check_skipped = config->broker.verification.skip_cert_common_name_check;
}

static bool set_connect(mqtt_connect_t *connect, const esp_mqtt_client_config_t *config)
{
    const struct last_will_t *will = &config->session.last_will;
    connect->keepalive_s = (uint16_t)(config->session.disable_keepalive ? 0 : config->session.keepalive);
    connect->is_session_clean = !config->session.disable_clean_session;
    connect->will_qos = will->qos;
    connect->does_will_stay = will->retain != 0;
    connect->will_length = will->msg == NULL ? 0 : will->msg_len > 0 ? (size_t)will->msg_len : strlen(will->msg);
    return copy_text(&connect->client_id, config->credentials.client_id) &&
           copy_text(&connect->will_topic, will->topic) && copy(&connect->will, will->msg, connect->will_length) &&
           copy_text(&connect->username, config->credentials.username) &&
           copy_text(&connect->password, config->credentials.authentication.password);
}

static int read_connection(void *connection, void *buffer, size_t size, int timeout_ms)
{
    return host_connection_read(connection, buffer, size, timeout_ms);
}

static bool allocate(esp_mqtt_client_handle_t client, size_t in_size, size_t out_size)
{
    client->in = (mqtt_reader_t){
        .buffer = calloc(1, in_size), .size = in_size, .read = read_connection, .source = &client->connection};
    client->out = (mqtt_writer_t){.buffer = calloc(1, out_size), .size = out_size};
    client->bits = xEventGroupCreate();
    client->lock = xSemaphoreCreateRecursiveMutex();
    return client->in.buffer != NULL && client->out.buffer != NULL && client->bits != NULL && client->lock != NULL;
}

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config)
{
    esp_mqtt_client_handle_t client = calloc(1, sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    client->connection.socket.fd = -1;
    client->config = *config;
    set_defaults(&client->config);
    set_endpoint(&client->endpoint, &client->config);
    bool is_complete = config->session.protocol_ver <= MQTT_PROTOCOL_V_3_1_1 &&
                       allocate(client, (size_t)client->config.buffer.size, (size_t)client->config.buffer.out_size) &&
                       set_connect(&client->connect, &client->config) &&
                       set_uri(&client->endpoint, config->broker.address.uri);
    bool has_certificate = config->broker.verification.certificate != NULL || client->endpoint.cert_pem != NULL;
    if (is_complete && has_certificate && !client->endpoint.is_tls) {
        ESP_LOGW(TAG, "SSL related configs set, but the URI scheme specifies a non-SSL scheme");
        is_complete = false;
    }
    if (!is_complete) {
        esp_mqtt_client_destroy(client);
    }
    return is_complete ? client : NULL;
}

esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t event,
                                         esp_event_handler_t event_handler, void *event_handler_arg)
{
    if (client == NULL || event_handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    mqtt_lock(client);
    bool has_room = client->handler_count < MQTT_MAX_HANDLERS;
    if (has_room) {
        client->handlers[client->handler_count++] = (mqtt_handler_t){event, event_handler, event_handler_arg};
    }
    mqtt_unlock(client);
    return has_room ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    mqtt_lock(client);
    bool is_new = !client->runs;
    if (is_new) {
        const struct task_t *task = &client->config.task;
        client->runs = true;
        client->state = MQTT_STATE_INIT;
        client->retransmitted_ms = 0;
        xEventGroupClearBits(client->bits, MQTT_STOPPED_BIT);
        client->runs = xTaskCreate(mqtt_client_run, "mqtt_task", (uint32_t)task->stack_size, client,
                                   (UBaseType_t)task->priority, &client->task) == pdPASS;
    }
    bool is_started = is_new && client->runs;
    mqtt_unlock(client);
    if (!is_started) {
        ESP_LOGE(TAG, "%s", is_new ? "Error create mqtt task" : "Client has started");
    }
    return is_started ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_mqtt_client_stop(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    mqtt_lock(client);
    bool does_run = client->runs;
    bool is_own = does_run && client->task == xTaskGetCurrentTaskHandle();
    if (does_run && !is_own) {
        if (client->state == MQTT_STATE_CONNECTED) {
            (void)mqtt_send_packet(client, mqtt_write_short(&client->out, MQTT_DISCONNECT, 0));
        }
        client->runs = false;
        client->state = MQTT_STATE_DISCONNECTED;
    }
    mqtt_unlock(client);
    if (!does_run || is_own) {
        ESP_LOGE(TAG, "Client %s", is_own ? "cannot be stopped from MQTT task" : "asked to stop, but was not started");
        return ESP_FAIL;
    }
    xEventGroupWaitBits(client->bits, MQTT_STOPPED_BIT, pdFALSE, pdTRUE, portMAX_DELAY);
    return ESP_OK;
}

esp_err_t esp_mqtt_client_destroy(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->runs) {
        esp_mqtt_client_stop(client);
    }
    const mqtt_connect_t *connect = &client->connect;
    const char *copies[] = {connect->client_id,  connect->username, connect->password,
                            connect->will_topic, connect->will,     client->endpoint.host};
    for (size_t i = 0; i < sizeof copies / sizeof copies[0]; i++) {
        free((char *)copies[i]);
    }
    if (client->bits != NULL) {
        vEventGroupDelete(client->bits);
    }
    if (client->lock != NULL) {
        vSemaphoreDelete(client->lock);
    }
    free(client->in.buffer);
    free(client->out.buffer);
    free(client);
    return ESP_OK;
}
