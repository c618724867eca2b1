/* The client's task: connect, serve, wait, again. What it looks at and in which order is esp-mqtt's. */
#include <poll.h>

#include "esp_log.h"
#include "mqtt_client_priv.h"

#define OUTBOX_EXPIRED_MS 30000
#define POLL_READ_MS 1000

static const char *TAG = "mqtt_client";

static bool is_due(int64_t since_ms, int64_t after_ms)
{
    return mqtt_now_ms() - since_ms >= after_ms;
}

/* Without a code it is none: esp-mqtt would read there what its buffer held before. */
static bool has_connack(esp_mqtt_client_handle_t client)
{
    int64_t begun_ms = mqtt_now_ms();
    int timeout_ms = client->config.network.timeout_ms;
    mqtt_read_t result;
    do {
        result = mqtt_reader_next(&client->in, timeout_ms);
    } while (result == MQTT_READ_NOTHING && !is_due(begun_ms, timeout_ms));
    if (result == MQTT_READ_FAILED) {
        mqtt_report_transport(client);
    }
    return result == MQTT_READ_PACKET && mqtt_type(client->in.buffer) == MQTT_CONNACK && client->in.filled >= 4;
}

static bool connect_mqtt(esp_mqtt_client_handle_t client)
{
    client->in.filled = 0;
    if (!mqtt_send_packet(client, mqtt_write_connect(&client->out, &client->connect)) || !has_connack(client)) {
        return false;
    }
    client->in.filled = 0;
    int code = client->in.buffer[3];
    if (code == MQTT_CONNECTION_ACCEPTED) {
        return true;
    }
    ESP_LOGW(TAG, "Connection refused, code %d", code);
    client->error = (esp_mqtt_error_codes_t){
        .error_type = MQTT_ERROR_TYPE_CONNECTION_REFUSED,
        .connect_return_code = (esp_mqtt_connect_return_code_t)code,
    };
    mqtt_dispatch(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_ERROR});
    return false;
}

static void attempt(esp_mqtt_client_handle_t client)
{
    xEventGroupClearBits(client->bits, MQTT_RECONNECT_BIT | MQTT_DISCONNECT_BIT);
    client->awaits_pong = false;
    mqtt_dispatch(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_BEFORE_CONNECT});
    host_connection_close(&client->connection);
    bool is_open = host_connection_open(&client->connection, &client->endpoint);
    if (!is_open) {
        mqtt_report_transport(client);
    }
    if (!is_open || !connect_mqtt(client)) {
        ESP_LOGE(TAG, "%s", is_open ? "MQTT connect failed" : "Error transport connect");
        mqtt_abort(client);
        return;
    }
    client->state = MQTT_STATE_CONNECTED;
    mqtt_dispatch(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_CONNECTED,
                                             .session_present = client->in.buffer[2] & 1});
    client->connected_ms = client->heard_ms = mqtt_now_ms();
}

/* A queued message, or, once in a while, the oldest that was not acknowledged, whatever a new session says. */
static bool resend(esp_mqtt_client_handle_t client)
{
    int64_t patience_ms = client->config.session.message_retransmit_timeout;
    client->retransmitted_ms = client->retransmitted_ms != 0 ? client->retransmitted_ms : mqtt_now_ms();
    mqtt_outbox_item_t *item = mqtt_outbox_first(&client->outbox, MQTT_QUEUED);
    if (item != NULL) {
        if (!mqtt_send(client, item->packet, item->length)) {
            return false;
        }
        item->pending = MQTT_TRANSMITTED;
        item->since_ms = mqtt_now_ms();
        return true;
    }
    if (!is_due(client->retransmitted_ms, patience_ms)) {
        return true;
    }
    int64_t now_ms = client->retransmitted_ms = mqtt_now_ms();
    item = mqtt_outbox_first(&client->outbox, MQTT_TRANSMITTED);
    if (item != NULL && now_ms - item->since_ms > patience_ms) {
        item->packet[0] |= mqtt_type(item->packet) == MQTT_PUBLISH ? MQTT_DUP : 0;
        if (!mqtt_send(client, item->packet, item->length)) {
            return false;
        }
    }
    item = mqtt_outbox_first(&client->outbox, MQTT_RECEIVED);
    return item == NULL || now_ms - item->since_ms <= patience_ms ||
           mqtt_send_packet(client, mqtt_write_short(&client->out, MQTT_PUBREL, item->id));
}

/* PINGREQ half a keepalive after the last PINGRESP, however much else was said; it has the other half. */
static bool keep_alive(esp_mqtt_client_handle_t client)
{
    int64_t keepalive_ms = client->connect.keepalive_s * INT64_C(1000);
    if (keepalive_ms == 0 || !is_due(client->heard_ms, client->awaits_pong ? keepalive_ms : keepalive_ms / 2)) {
        return true;
    }
    if (client->awaits_pong) {
        ESP_LOGE(TAG, "No PING_RESP, disconnected");
        return false;
    }
    client->awaits_pong = true;
    return mqtt_send_packet(client, mqtt_write_short(&client->out, MQTT_PINGREQ, 0));
}

static void serve(esp_mqtt_client_handle_t client)
{
    int refresh_ms = client->config.network.refresh_connection_after_ms;
    EventBits_t bits = xEventGroupWaitBits(client->bits, MQTT_DISCONNECT_BIT, pdTRUE, pdTRUE, 0);
    if ((bits & MQTT_DISCONNECT_BIT) != 0) {
        (void)mqtt_send_packet(client, mqtt_write_short(&client->out, MQTT_DISCONNECT, 0));
        mqtt_abort(client);
    } else if (!mqtt_receive(client) || !resend(client) || !keep_alive(client)) {
        mqtt_abort(client);
    } else if (refresh_ms > 0 && is_due(client->connected_ms, refresh_ms)) {
        mqtt_abort(client);
        client->state = MQTT_STATE_INIT;
    }
}

/* Until something comes, a second at most; whoever publishes meanwhile does so at once. */
static void await_input(esp_mqtt_client_handle_t client)
{
    mqtt_lock(client);
    host_socket_t socket = client->connection.socket; /* which this task alone closes */
    bool is_quiet = client->state == MQTT_STATE_CONNECTED && host_connection_poll_read(&client->connection, 0) == 0;
    mqtt_unlock(client);
    if (is_quiet) {
        (void)host_socket_wait(&socket, POLLIN, POLL_READ_MS);
    }
}

/* @return how long to wait before the next look */
static int look_whether_to_reconnect(esp_mqtt_client_handle_t client)
{
    bool is_asked = (xEventGroupGetBits(client->bits) & MQTT_RECONNECT_BIT) != 0;
    bool is_again = client->config.network.disable_auto_reconnect
                        ? is_asked
                        : mqtt_now_ms() - client->lost_ms > client->wait_ms;
    if (is_again) {
        client->state = MQTT_STATE_INIT;
    }
    return is_again ? 0 : client->wait_ms / 2;
}

void mqtt_client_run(void *argument)
{
    esp_mqtt_client_handle_t client = argument;
    while (client->runs) {
        int wait_ms = 0;
        mqtt_lock(client);
        mqtt_outbox_drop_before(&client->outbox, mqtt_now_ms() - OUTBOX_EXPIRED_MS);
        if (client->state == MQTT_STATE_INIT) {
            attempt(client);
        } else if (client->state == MQTT_STATE_CONNECTED) {
            serve(client);
        } else if (client->state == MQTT_STATE_WAIT_RECONNECT) {
            wait_ms = look_whether_to_reconnect(client);
        }
        mqtt_unlock(client);
        if (client->state == MQTT_STATE_CONNECTED) {
            await_input(client);
        } else if (wait_ms > 0) {
            xEventGroupWaitBits(client->bits, MQTT_RECONNECT_BIT, pdFALSE, pdTRUE, pdMS_TO_TICKS(wait_ms));
        }
    }
    mqtt_lock(client);
    host_connection_close(&client->connection);
    mqtt_outbox_drop_before(&client->outbox, INT64_MAX);
    client->state = MQTT_STATE_DISCONNECTED;
    mqtt_unlock(client);
    xEventGroupSetBits(client->bits, MQTT_STOPPED_BIT);
    vTaskDelete(NULL);
}
