/* The API of esp-mqtt: what a client that runs is asked to do, by whatever task. */
#include <string.h>

#include "esp_log.h"
#include "mqtt_client_priv.h"

static const char *TAG = "mqtt_client";

esp_err_t esp_mqtt_client_reconnect(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->state != MQTT_STATE_WAIT_RECONNECT) {
        return ESP_FAIL;
    }
    client->wait_ms = 0;
    xEventGroupSetBits(client->bits, MQTT_RECONNECT_BIT);
    return ESP_OK;
}

esp_err_t esp_mqtt_client_disconnect(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    xEventGroupSetBits(client->bits, MQTT_DISCONNECT_BIT);
    return ESP_OK;
}

/* What the outgoing buffer has no room for follows in pieces of its size. */
static bool send_publish(esp_mqtt_client_handle_t client, const uint8_t *rest, size_t length)
{
    bool is_sent = mqtt_send_packet(client, true);
    while (is_sent && length > 0) {
        size_t piece = length < client->out.size ? length : client->out.size;
        is_sent = mqtt_send(client, rest, piece);
        rest += piece;
        length -= piece;
    }
    return is_sent;
}

static int publish(esp_mqtt_client_handle_t client, const char *topic, const char *data, size_t size, int qos,
                   bool retain)
{
    uint64_t limit = client->config.outbox.limit;
    uint16_t id = qos > 0 ? mqtt_new_id() : 0;
    mqtt_outbox_item_t *item = NULL;
    if (limit > 0 && qos > 0 && size + client->outbox.bytes > limit) {
        return -2;
    }
    if (!mqtt_write_publish(&client->out, topic, data, size, qos, retain, id)) {
        ESP_LOGE(TAG, "Publish message cannot be created");
        return -1;
    }
    const uint8_t *rest = (const uint8_t *)data + client->out.payload;
    size_t rest_length = size - client->out.payload;
    if (qos > 0) {
        item = mqtt_outbox_add(&client->outbox, id, &client->out, rest, rest_length, mqtt_now_ms());
        if (item == NULL) {
            return -1;
        }
    }
    if (client->state != MQTT_STATE_CONNECTED) {
        return qos > 0 ? id : -1; /* sent when the connection is there; QoS 0 is lost */
    }
    if (!send_publish(client, rest, rest_length)) {
        mqtt_abort(client);
        return -1; /* though one of QoS 1 or 2 stays, and is sent again */
    }
    if (item != NULL) {
        item->pending = MQTT_TRANSMITTED;
        item->since_ms = mqtt_now_ms();
    }
    return id;
}

int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char *topic, const char *data, int len, int qos,
                            int retain)
{
    if (client == NULL || (data == NULL && len > 0)) {
        return -1;
    }
    size_t size = data == NULL ? 0 : len > 0 ? (size_t)len : strlen(data);
    mqtt_lock(client);
    int id = publish(client, topic, data, size, qos, retain != 0);
    mqtt_unlock(client);
    return id;
}

static int request(esp_mqtt_client_handle_t client, mqtt_packet_type_t type, const char *filter, int qos)
{
    if (client == NULL || client->state != MQTT_STATE_CONNECTED) {
        ESP_LOGE(TAG, "Client has not connected");
        return -1;
    }
    mqtt_lock(client);
    uint16_t id = mqtt_new_id();
    bool fits = mqtt_write_request(&client->out, type, filter, qos, id);
    mqtt_outbox_item_t *item = fits ? mqtt_outbox_add(&client->outbox, id, &client->out, NULL, 0, mqtt_now_ms()) : NULL;
    if (item != NULL) {
        item->pending = MQTT_TRANSMITTED;
    }
    bool is_sent = item != NULL && mqtt_send_packet(client, fits);
    mqtt_unlock(client);
    return is_sent ? id : -1;
}

int esp_mqtt_client_subscribe_single(esp_mqtt_client_handle_t client, const char *topic, int qos)
{
    return request(client, MQTT_SUBSCRIBE, topic, qos);
}

int esp_mqtt_client_unsubscribe(esp_mqtt_client_handle_t client, const char *topic)
{
    return request(client, MQTT_UNSUBSCRIBE, topic, 0);
}
