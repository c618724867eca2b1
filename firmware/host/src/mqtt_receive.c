/* What the client does with the packets that come. */
#include "esp_log.h"
#include "mqtt_client_priv.h"

#define SUBACK_CODES 4 /* where they begin */
#define SUBACK_FAILURE 0x80

static const char *TAG = "mqtt_client";

/* A PUBLISH, in as many events as buffers or reads it takes. */
static bool deliver(esp_mqtt_client_handle_t client)
{
    mqtt_reader_t *in = &client->in;
    mqtt_publish_t publish;
    if (!mqtt_read_publish(in->buffer, in->filled, &publish)) {
        ESP_LOGE(TAG, "a PUBLISH without a topic");
        return false;
    }
    esp_mqtt_event_t event = {
        .event_id = MQTT_EVENT_DATA,
        .topic = (char *)publish.topic,
        .topic_len = (int)publish.topic_length,
        .data = publish.data_length > 0 ? (char *)publish.data : NULL,
        .data_len = (int)publish.data_length,
        .total_data_len = (int)(publish.data_length + in->total - in->filled),
        .msg_id = mqtt_id(in->buffer, in->filled),
        .qos = mqtt_qos(in->buffer),
        .retain = (in->buffer[0] & 1) != 0,
        .dup = (in->buffer[0] & MQTT_DUP) != 0,
    };
    size_t left = in->total - in->filled;
    mqtt_dispatch(client, event);
    while (left > 0) {
        int count = host_connection_read(&client->connection, in->buffer, left < in->size ? left : in->size,
                                         client->config.network.timeout_ms);
        if (count == HOST_CONNECTION_TIMEOUT) {
            return true; /* esp-mqtt acknowledges it all the same, and takes what comes for the next packet */
        }
        if (count < 0) {
            mqtt_report_transport(client);
            return false;
        }
        event.current_data_offset += event.data_len;
        event.topic = NULL;
        event.topic_len = 0;
        event.data = (char *)in->buffer;
        event.data_len = count;
        left -= (size_t)count;
        mqtt_dispatch(client, event);
    }
    return true;
}

static bool answer(esp_mqtt_client_handle_t client, mqtt_packet_type_t type, uint16_t id)
{
    return mqtt_send_packet(client, mqtt_write_short(&client->out, type, id != 0 ? id : mqtt_new_id()));
}

static bool on_suback(esp_mqtt_client_handle_t client, uint16_t id)
{
    const mqtt_reader_t *in = &client->in;
    if (in->filled <= SUBACK_CODES) {
        ESP_LOGE(TAG, "Failed to acquire suback data");
        return false;
    }
    int count = (int)(in->filled - SUBACK_CODES);
    client->error = (esp_mqtt_error_codes_t){0};
    for (int i = 0; i < count; i++) {
        if (in->buffer[SUBACK_CODES + i] >= SUBACK_FAILURE) {
            client->error.error_type = MQTT_ERROR_TYPE_SUBSCRIBE_FAILED;
        }
    }
    mqtt_dispatch(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_SUBSCRIBED,
                                             .msg_id = id,
                                             .data = (char *)in->buffer + SUBACK_CODES,
                                             .data_len = count,
                                             .total_data_len = count});
    return true;
}

/* The broker has answered one of ours. */
static bool settle(esp_mqtt_client_handle_t client, mqtt_packet_type_t type, uint16_t id)
{
    const mqtt_outbox_item_t *item = mqtt_outbox_find(&client->outbox, type, id);
    mqtt_outbox_drop(&client->outbox, item);
    return item != NULL;
}

static bool handle(esp_mqtt_client_handle_t client)
{
    int qos = mqtt_qos(client->in.buffer);
    uint16_t id = mqtt_id(client->in.buffer, client->in.filled);
    mqtt_outbox_item_t *item;
    switch (mqtt_type(client->in.buffer)) {
    case MQTT_PUBLISH:
        return deliver(client) && (qos == 0 || answer(client, qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, id));
    case MQTT_PUBACK:
    case MQTT_PUBCOMP:
        if (settle(client, MQTT_PUBLISH, id)) {
            mqtt_dispatch(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_PUBLISHED, .msg_id = id});
        }
        return true;
    case MQTT_PUBREC:
        item = mqtt_outbox_find(&client->outbox, MQTT_PUBLISH, id);
        if (item != NULL) {
            item->pending = MQTT_RECEIVED;
        }
        (void)answer(client, MQTT_PUBREL, id); /* a failure shows when the connection is read next */
        return true;
    case MQTT_PUBREL:
        (void)answer(client, MQTT_PUBCOMP, id);
        return true;
    case MQTT_SUBACK:
        return !settle(client, MQTT_SUBSCRIBE, id) || on_suback(client, id);
    case MQTT_UNSUBACK:
        if (settle(client, MQTT_UNSUBSCRIBE, id)) {
            mqtt_dispatch(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_UNSUBSCRIBED, .msg_id = id});
        }
        return true;
    case MQTT_PINGRESP:
        client->awaits_pong = false;
        client->heard_ms = mqtt_now_ms();
        return true;
    default:
        return true;
    }
}

bool mqtt_receive(esp_mqtt_client_handle_t client)
{
    size_t before = client->in.filled;
    bool is_fine = true;
    switch (mqtt_reader_next(&client->in, 0)) {
    case MQTT_READ_PACKET:
        is_fine = handle(client);
        client->in.filled = 0;
        return is_fine && client->state == MQTT_STATE_CONNECTED;
    case MQTT_READ_HALF: /* no error for it: it is given until the next look to go on */
        return client->in.filled != before;
    case MQTT_READ_FAILED:
        mqtt_report_transport(client);
        return false;
    case MQTT_READ_NOTHING:
    default:
        return true;
    }
}
