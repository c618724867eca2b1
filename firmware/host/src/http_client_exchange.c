/* Connecting, sending the request head, receiving: the moving parts of the HTTP client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_http_client_priv.h"
#include "esp_log.h"

static const char *TAG = "HTTP_CLIENT";

void http_client_dispatch(esp_http_client_handle_t client, esp_http_client_event_id_t id,
                          void *data, int length)
{
    if (client->config.event_handler != NULL) {
        esp_http_client_event_t event = {.event_id = id,
                                         .client = client,
                                         .data = data,
                                         .data_len = length,
                                         .user_data = client->config.user_data};
        client->config.event_handler(&event);
    }
}

static http_endpoint_t endpoint_of(esp_http_client_handle_t client)
{
    const esp_http_client_config_t *config = &client->config;
    return (http_endpoint_t){
        .is_tls = client->is_https,
        .host = client->host,
        .port = client->port,
        .timeout_ms = config->timeout_ms,
        .tls = {.ca_pem = config->cert_pem,
                .has_bundle = config->crt_bundle_attach != NULL,
                .cert_pem = config->client_cert_pem,
                .key_pem = config->client_key_pem,
                .host = config->common_name != NULL ? config->common_name : client->host,
                .is_name_check_skipped = config->skip_cert_common_name_check},
    };
}

esp_err_t http_client_connect(esp_http_client_handle_t client)
{
    if (client->state >= CLIENT_CONNECTED) {
        return ESP_OK;
    }
    http_endpoint_t endpoint = endpoint_of(client);
    if (!http_connection_open(&client->connection, &endpoint)) {
        ESP_LOGE(TAG, "Connection failed, sock < 0");
        return ESP_ERR_HTTP_CONNECT;
    }
    client->state = CLIENT_CONNECTED;
    http_client_dispatch(client, HTTP_EVENT_ON_CONNECTED, NULL, 0);
    return ESP_OK;
}

static const char *method_name(esp_http_client_method_t method)
{
    static const char *const NAMES[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
    return NAMES[method];
}

static esp_err_t write_all(esp_http_client_handle_t client, const char *data, int length)
{
    while (length > 0) {
        int sent = http_connection_write(&client->connection, data, (size_t)length,
                                         client->config.timeout_ms);
        if (sent <= 0) {
            ESP_LOGE(TAG, "Error write request");
            esp_http_client_close(client);
            return ESP_ERR_HTTP_WRITE_DATA;
        }
        data += sent;
        length -= sent;
    }
    return ESP_OK;
}

static void set_length_header(esp_http_client_handle_t client, int write_len)
{
    esp_http_client_method_t method = client->config.method;
    bool is_length_required = method != HTTP_METHOD_GET && method != HTTP_METHOD_HEAD &&
                              method != HTTP_METHOD_DELETE;
    char text[16];
    snprintf(text, sizeof text, "%d", write_len);
    bool has_length = write_len > 0 || (write_len == 0 && is_length_required);
    http_headers_set(&client->headers, "Content-Length", has_length ? text : NULL);
    http_headers_set(&client->headers, "Transfer-Encoding", write_len < 0 ? "chunked" : NULL);
}

esp_err_t http_client_send_head(esp_http_client_handle_t client, int write_len)
{
    set_length_header(client, write_len);
    int first_line = snprintf(client->tx, (size_t)client->tx_size, "%s %s HTTP/1.1\r\n",
                              method_name(client->config.method), client->target);
    if (first_line >= client->tx_size) {
        ESP_LOGE(TAG, "Out of buffer");
        return ESP_FAIL;
    }
    int index = 0;
    int room = client->tx_size - first_line;
    /* As in ESP-IDF, a header longer than the buffer ends the head right there, unterminated:
       buffer_size_tx has to be large enough for the longest one. */
    while ((index = http_headers_write(client->headers, index, client->tx + first_line, &room)) !=
               0 &&
           room > 0) {
        ESP_LOGD(TAG, "Write header[%d]: %.*s", index, first_line + room, client->tx);
        esp_err_t err = write_all(client, client->tx, first_line + room);
        if (err != ESP_OK) {
            return err;
        }
        first_line = 0;
        room = client->tx_size;
    }
    client->state = CLIENT_HEAD_SENT;
    http_response_begin(&client->response, client->config.method == HTTP_METHOD_HEAD);
    client->early_length = 0;
    client->early_used = 0;
    http_client_dispatch(client, HTTP_EVENT_HEADERS_SENT, NULL, 0);
    return ESP_OK;
}

static void on_header(void *owner, char *key, char *value)
{
    esp_http_client_handle_t client = owner;
    if (strcasecmp(key, "Location") == 0) {
        free(client->location);
        client->location = strdup(value);
    }
    if (client->config.event_handler != NULL) {
        esp_http_client_event_t event = {.event_id = HTTP_EVENT_ON_HEADER,
                                         .client = client,
                                         .user_data = client->config.user_data,
                                         .header_key = key,
                                         .header_value = value};
        client->config.event_handler(&event);
    }
}

static void on_body(void *owner, char *data, size_t length)
{
    esp_http_client_handle_t client = owner;
    if (client->out != NULL) {
        memcpy(client->out + client->out_length, data, length);
        client->out_length += (int)length;
    } else if (client->is_fetching) {
        memcpy(client->early + client->early_length, data, length);
        client->early_length += (int)length;
    }
    http_client_dispatch(client, HTTP_EVENT_ON_DATA, data, (int)length);
}

int http_client_receive(esp_http_client_handle_t client, int size)
{
    if (size > client->rx_size) {
        size = client->rx_size;
    }
    int got = http_connection_read(&client->connection, client->rx, (size_t)size,
                                   client->config.timeout_ms);
    if (got > 0) {
        http_response_sink_t sink = {on_header, on_body, client};
        http_response_feed(&client->response, client->rx, (size_t)got, &sink);
    } else if (got == HTTP_CONNECTION_CLOSED) {
        http_response_end(&client->response);
    }
    return got;
}

bool http_client_is_complete(esp_http_client_handle_t client)
{
    return client->response.state == HTTP_RESPONSE_DONE;
}
