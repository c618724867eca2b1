/* The API of esp_http_client, blocking mode: a request and its answer. */
#include <string.h>
#include <strings.h>

#include "esp_http_client.h"
#include "esp_http_client_priv.h"
#include "esp_log.h"

static const char *TAG = "HTTP_CLIENT";

static esp_err_t report_error(esp_http_client_handle_t client, esp_err_t err)
{
    http_client_dispatch(client, HTTP_EVENT_ERROR, &client->connection.error, 0);
    return err;
}

static esp_err_t begin_request(esp_http_client_handle_t client)
{
    esp_err_t err = http_client_connect(client);
    return err == ESP_OK ? http_client_send_head(client, client->post_len) : err;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    client->post_len = write_len;
    esp_err_t err = begin_request(client);
    return err == ESP_OK ? ESP_OK : report_error(client, err);
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    if (client->state < CLIENT_HEAD_SENT) {
        return ESP_FAIL;
    }
    int total = 0;
    while (total < len) {
        int sent = host_connection_write(&client->connection, buffer + total, (size_t)(len - total),
                                         client->config.timeout_ms);
        if (sent <= 0) {
            return sent;
        }
        total += sent;
    }
    return total;
}

static int receive(esp_http_client_handle_t client, int size)
{
    size = size < client->rx_size ? size : client->rx_size;
    return host_connection_read(&client->connection, client->rx, (size_t)size, client->config.timeout_ms);
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    if (client->state < CLIENT_HEAD_SENT) {
        return ESP_FAIL;
    }
    client->state = CLIENT_BODY_SENT;
    client->status = -1;
    while (client->state < CLIENT_HEAD_RECEIVED) {
        int got = receive(client, client->rx_size);
        if (got == HOST_CONNECTION_TIMEOUT) {
            ESP_LOGW(TAG, "Connection timed out before data was ready!");
            return -ESP_ERR_HTTP_EAGAIN;
        }
        if (got < 0) {
            return ESP_FAIL;
        }
        http_client_parse(client, got);
    }
    client->state = CLIENT_RECEIVING;
    client->is_chunked = client->is_chunked || client->content_length <= 0;
    return client->content_length > 0 ? client->content_length : 0;
}

static bool is_more_expected(esp_http_client_handle_t client)
{
    return client->is_chunked ? !client->is_chunk_complete : client->processed < client->content_length;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    return client->is_chunked ? client->is_chunk_complete : client->processed == client->content_length;
}

static int take_cached(esp_http_client_handle_t client, char *buffer, int len)
{
    int taken = client->cached == NULL ? 0 : client->unread < len ? client->unread : len;
    if (taken > 0) {
        memcpy(buffer, client->cached + client->cached_at, (size_t)taken);
        client->cached_at += taken;
        client->unread -= taken;
    }
    if (client->unread == 0) {
        http_client_drop_cache(client);
    }
    return taken;
}

/* What read() says when nothing more came, with `filled` bytes in its buffer. */
static int end_reading(esp_http_client_handle_t client, int got, int filled)
{
    if (got == HOST_CONNECTION_CLOSED && client->is_chunked) {
        http_client_parse(client, 0);
    }
    if (filled > 0) {
        return filled;
    }
    if (got == HOST_CONNECTION_TIMEOUT) {
        return -ESP_ERR_HTTP_EAGAIN;
    }
    return esp_http_client_is_complete_data_received(client) ? 0 : report_error(client, ESP_FAIL);
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    int filled = take_cached(client, buffer, len);
    while (filled < len && is_more_expected(client)) {
        int got = receive(client, len - filled);
        if (got <= 0) {
            return end_reading(client, got, filled);
        }
        client->unread = 0;
        client->out = buffer + filled;
        http_client_parse(client, got);
        filled += client->unread;
        client->unread = 0;
        client->out = NULL;
    }
    return filled;
}

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client->status;
}

static esp_err_t follow(esp_http_client_handle_t client)
{
    if (client->location == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (strcasecmp(client->scheme, "https") == 0 && strncasecmp(client->location, "https://", 8) != 0) {
        return ESP_ERR_HTTP_REDIRECT_DOWNGRADE;
    }
    esp_err_t err = esp_http_client_set_url(client, client->location);
    if (err == ESP_OK) {
        client->redirects++;
        client->has_to_go_on = true;
    }
    return err;
}

static esp_err_t judge_status(esp_http_client_handle_t client)
{
    int status = client->status;
    if (status >= 200 && status < 300) {
        client->redirects = 0;
        return ESP_OK;
    }
    if (client->redirects >= client->config.max_redirection_count) {
        ESP_LOGE(TAG, "Error, reach max_redirection_count count=%d", client->redirects);
        return ESP_ERR_HTTP_MAX_REDIRECT;
    }
    bool is_redirect = (status >= 301 && status <= 303) || status == 307 || status == 308;
    if (is_redirect && client->config.disable_auto_redirect) {
        http_client_dispatch(client, HTTP_EVENT_REDIRECT, NULL, 0);
    }
    return is_redirect && !client->config.disable_auto_redirect ? follow(client) : ESP_OK;
}

/* One request and its answer, the body to the event handler. */
static esp_err_t exchange(esp_http_client_handle_t client)
{
    esp_err_t err = begin_request(client);
    if (err != ESP_OK) {
        return err;
    }
    if (client->post_len > 0 &&
        esp_http_client_write(client, client->post_data, client->post_len) != client->post_len) {
        return ESP_ERR_HTTP_WRITE_DATA;
    }
    client->is_caching = false;
    int64_t length = esp_http_client_fetch_headers(client);
    if (length == -ESP_ERR_HTTP_EAGAIN) {
        return ESP_ERR_HTTP_EAGAIN;
    }
    client->is_caching = true;
    err = length < 0 ? ESP_ERR_HTTP_FETCH_HEADER : judge_status(client);
    while (err == ESP_OK && is_more_expected(client) && client->config.method != HTTP_METHOD_HEAD) {
        int got = receive(client, client->rx_size);
        if (got >= 0) {
            http_client_parse(client, got);
        }
        if (got <= 0 && is_more_expected(client)) {
            err = ESP_ERR_HTTP_INCOMPLETE_DATA;
        }
    }
    return err;
}

esp_err_t esp_http_client_perform(esp_http_client_handle_t client)
{
    esp_err_t err;
    do {
        err = exchange(client);
        if (err == ESP_OK) {
            http_client_dispatch(client, HTTP_EVENT_ON_FINISH, NULL, 0);
        } else if (err != ESP_ERR_HTTP_EAGAIN) {
            report_error(client, err);
        }
        if (err != ESP_OK && err != ESP_ERR_HTTP_INCOMPLETE_DATA) {
            return err;
        }
        client->unread = 0;
        if (http_should_keep_alive(&client->parser.parser) == 0) {
            http_client_close(client);
        } else if (client->state > CLIENT_CONNECTED) {
            client->state = CLIENT_CONNECTED;
        }
    } while (client->has_to_go_on && err == ESP_OK);
    return err;
}
