/* What the client's task and those who publish have in common: events, and the way out. */
#include "mqtt_client_priv.h"

#include <string.h>
#include <sys/socket.h>

#include "esp_log.h"
#include "esp_random.h"
#include "host_monitor.h"

static const char *TAG = "mqtt_client";

void mqtt_lock(esp_mqtt_client_handle_t client)
{
    xSemaphoreTakeRecursive(client->lock, portMAX_DELAY);
}

void mqtt_unlock(esp_mqtt_client_handle_t client)
{
    xSemaphoreGiveRecursive(client->lock);
}

int64_t mqtt_now_ms(void)
{
    return host_uptime_us() / 1000;
}

uint16_t mqtt_new_id(void)
{
    return (uint16_t)(esp_random() % UINT16_MAX + 1);
}

void mqtt_dispatch(esp_mqtt_client_handle_t client, esp_mqtt_event_t event)
{
    event.client = client;
    event.error_handle = &client->error;
    event.protocol_ver = MQTT_PROTOCOL_V_3_1_1;
    for (size_t i = 0; i < client->handler_count; i++) {
        if (client->handlers[i].event == MQTT_EVENT_ANY || client->handlers[i].event == event.event_id) {
            client->handlers[i].handler(client->handlers[i].arg, "MQTT_EVENTS", event.event_id, &event);
        }
    }
}

void mqtt_report_transport(esp_mqtt_client_handle_t client)
{
    host_connection_t *connection = &client->connection;
    client->error = (esp_mqtt_error_codes_t){
        .error_type = MQTT_ERROR_TYPE_TCP_TRANSPORT,
        .esp_tls_last_esp_err = connection->error.last_error,
        .esp_tls_stack_err = connection->error.esp_tls_error_code,
        .esp_tls_cert_verify_flags = connection->error.esp_tls_flags,
        .esp_transport_sock_errno = connection->sock_errno,
    };
    memset(&connection->error, 0, sizeof connection->error);
    connection->sock_errno = 0;
    mqtt_dispatch(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_ERROR});
}

bool mqtt_send(esp_mqtt_client_handle_t client, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        int count = host_connection_write(&client->connection, bytes, length, client->config.network.timeout_ms);
        if (count <= 0) {
            ESP_LOGE(TAG, "%s", count < 0 ? "Writing failed" : "Writing didn't complete in specified timeout");
            if (count < 0) {
                mqtt_report_transport(client);
            }
            return false;
        }
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

bool mqtt_send_packet(esp_mqtt_client_handle_t client, bool fits)
{
    if (!fits) {
        ESP_LOGE(TAG, "Message cannot be created");
    }
    return fits && mqtt_send(client, client->out.packet, client->out.length);
}

void mqtt_abort(esp_mqtt_client_handle_t client)
{
    if (client->state == MQTT_STATE_WAIT_RECONNECT) {
        return; /* a handler has published meanwhile, and found out first */
    }
    if (client->task == xTaskGetCurrentTaskHandle()) {
        host_connection_close(&client->connection);
    } else if (client->connection.socket.fd >= 0) {
        shutdown(client->connection.socket.fd, SHUT_RDWR); /* the task may be waiting for it, and closes it */
    }
    client->lost_ms = mqtt_now_ms();
    client->wait_ms = client->config.network.reconnect_timeout_ms;
    client->state = MQTT_STATE_WAIT_RECONNECT;
    client->awaits_pong = false;
    mqtt_dispatch(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_DISCONNECTED});
}
