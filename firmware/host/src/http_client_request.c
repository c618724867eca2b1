/* The HTTP client's connection, and the head of its request. */
#include <stdio.h>
#include <strings.h>

#include "esp_http_client_priv.h"
#include "esp_log.h"

static const char *TAG = "HTTP_CLIENT";

static bool is_scheme(esp_http_client_handle_t client, const char *scheme)
{
    return strcasecmp(client->scheme, scheme) == 0;
}

esp_err_t http_client_connect(esp_http_client_handle_t client)
{
    http_client_prepare(client);
    if (client->state >= CLIENT_CONNECTED) {
        return ESP_OK;
    }
    if (!is_scheme(client, "http") && !is_scheme(client, "https")) {
        ESP_LOGE(TAG, "No transport found");
        return ESP_ERR_HTTP_INVALID_TRANSPORT;
    }
    const esp_http_client_config_t *config = &client->config;
    host_endpoint_t endpoint = {
        .host = client->host, .port = client->port, .is_tls = is_scheme(client, "https"), .timeout_ms = config->timeout_ms,
        .ca_pem = config->cert_pem, .has_bundle = config->crt_bundle_attach != NULL, .cert_pem = config->client_cert_pem,
        .key_pem = config->client_key_pem, .common_name = config->common_name,
        .is_name_check_skipped = config->skip_cert_common_name_check, .alpn_protocols = config->alpn_protos};
    if (!host_connection_open(&client->connection, &endpoint)) {
        ESP_LOGE(TAG, "Connection failed, sock < 0");
        return ESP_ERR_HTTP_CONNECT;
    }
    client->state = CLIENT_CONNECTED;
    http_client_dispatch(client, HTTP_EVENT_ON_CONNECTED, NULL, 0);
    return ESP_OK;
}

void http_client_close(esp_http_client_handle_t client)
{
    if (client->state > CLIENT_INIT) {
        http_client_dispatch(client, HTTP_EVENT_DISCONNECTED, &client->connection.error, 0);
        client->state = CLIENT_INIT;
        host_connection_close(&client->connection);
    }
}

static void set_length_header(esp_http_client_handle_t client, int write_len)
{
    esp_http_client_method_t method = client->config.method;
    bool is_required = method != HTTP_METHOD_GET && method != HTTP_METHOD_HEAD && method != HTTP_METHOD_DELETE;
    char text[16];
    snprintf(text, sizeof text, "%d", write_len);
    bool has_length = write_len > 0 || (write_len == 0 && is_required);
    http_headers_set(&client->headers, "Content-Length", has_length ? text : NULL);
    http_headers_set(&client->headers, "Transfer-Encoding", write_len < 0 ? "chunked" : NULL);
}

static esp_err_t write_all(esp_http_client_handle_t client, const char *data, int length)
{
    while (length > 0) {
        int sent = host_connection_write(&client->connection, data, (size_t)length, client->config.timeout_ms);
        if (sent <= 0) {
            ESP_LOGE(TAG, "Error write request");
            http_client_close(client);
            return ESP_ERR_HTTP_WRITE_DATA;
        }
        data += sent;
        length -= sent;
    }
    return ESP_OK;
}

esp_err_t http_client_send_head(esp_http_client_handle_t client, int write_len)
{
    static const char *const METHODS[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
    bool has_query = client->query != NULL;
    set_length_header(client, write_len);
    int first_line = snprintf(client->tx, (size_t)client->tx_size, "%s %s%s%s HTTP/1.1\r\n", METHODS[client->config.method],
                              client->path, has_query ? "?" : "", has_query ? client->query : "");
    if (first_line >= client->tx_size) {
        ESP_LOGE(TAG, "Out of buffer");
        return ESP_FAIL;
    }
    int index = 0;
    int room = client->tx_size - first_line;
    /* As in ESP-IDF, a header longer than the buffer ends the head right there, unterminated:
       buffer_size_tx has to be large enough for the longest one. */
    while ((index = http_headers_write(client->headers, index, client->tx + first_line, &room)) != 0 && room > 0) {
        ESP_LOGD(TAG, "Write header[%d]: %.*s", index, first_line + room, client->tx);
        esp_err_t err = write_all(client, client->tx, first_line + room);
        if (err != ESP_OK) {
            return err;
        }
        first_line = 0;
        room = client->tx_size;
    }
    client->state = CLIENT_HEAD_SENT;
    http_client_dispatch(client, HTTP_EVENT_HEADERS_SENT, NULL, 0);
    return ESP_OK;
}
