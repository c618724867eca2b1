/* The API of esp_http_client, blocking mode. */
#include "esp_http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_http_client_priv.h"
#include "esp_log.h"
#include "esp_tls.h"

#define DEFAULT_TIMEOUT_MS 5000
#define DEFAULT_MAX_REDIRECTS 10
#define DEFAULT_USER_AGENT "ESP32 HTTP Client/1.0"

static const char *TAG = "HTTP_CLIENT";

static bool set_host_header(esp_http_client_handle_t client)
{
    bool is_default_port = client->port == (client->is_https ? 443 : 80);
    char value[300];
    if (is_default_port) {
        snprintf(value, sizeof value, "%s", client->host);
    } else {
        snprintf(value, sizeof value, "%s:%d", client->host, client->port);
    }
    return http_headers_set(&client->headers, "Host", value);
}

/* Take the parts that a request needs out of a parsed URL. */
static bool take_url_parts(esp_http_client_handle_t client, CURLU *url)
{
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *path = NULL;
    char *query = NULL;
    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(url, CURLUPART_HOST, &host, 0);
    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    curl_url_get(url, CURLUPART_PATH, &path, 0);
    curl_url_get(url, CURLUPART_QUERY, &query, 0);
    bool is_http = scheme != NULL && strcasecmp(scheme, "http") == 0;
    bool is_https = scheme != NULL && strcasecmp(scheme, "https") == 0;
    bool is_valid = (is_http || is_https) && host != NULL && port != NULL && path != NULL;
    if (is_valid) {
        free(client->host);
        free(client->target);
        bool is_ipv6 = host[0] == '[';
        client->host = is_ipv6 ? strndup(host + 1, strlen(host) - 2) : strdup(host);
        client->port = atoi(port);
        client->is_https = is_https;
        size_t size = strlen(path) + (query != NULL ? strlen(query) + 1 : 0) + 1;
        client->target = malloc(size);
        if (client->target != NULL) {
            snprintf(client->target, size, "%s%s%s", path, query != NULL ? "?" : "",
                     query != NULL ? query : "");
        }
        is_valid = client->host != NULL && client->target != NULL && set_host_header(client);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(query);
    return is_valid;
}

static esp_err_t set_url(esp_http_client_handle_t client, const char *url)
{
    CURLU *parsed = curl_url();
    if (parsed == NULL) {
        return ESP_ERR_NO_MEM;
    }
    char *old_host = client->host != NULL ? strdup(client->host) : NULL;
    int old_port = client->port;
    esp_err_t err = ESP_ERR_INVALID_ARG;
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        take_url_parts(client, parsed)) {
        err = ESP_OK;
        bool is_elsewhere = old_host == NULL || strcasecmp(old_host, client->host) != 0 ||
                            old_port != client->port;
        if (is_elsewhere) {
            esp_http_client_close(client);
        }
    } else {
        ESP_LOGE(TAG, "Error parse url %s", url);
    }
    free(old_host);
    curl_url_cleanup(parsed);
    return err;
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    if (config == NULL || config->url == NULL) {
        return NULL;
    }
    esp_http_client_handle_t client = calloc(1, sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    client->config = *config;
    if (client->config.timeout_ms <= 0) {
        client->config.timeout_ms = DEFAULT_TIMEOUT_MS;
    }
    if (client->config.max_redirection_count <= 0) {
        client->config.max_redirection_count = DEFAULT_MAX_REDIRECTS;
    }
    client->rx_size = config->buffer_size > 0 ? config->buffer_size : DEFAULT_HTTP_BUF_SIZE;
    client->tx_size = config->buffer_size_tx > 0 ? config->buffer_size_tx : DEFAULT_HTTP_BUF_SIZE;
    client->rx = malloc((size_t)client->rx_size);
    client->tx = malloc((size_t)client->tx_size);
    client->early = malloc((size_t)client->rx_size);
    const char *agent = config->user_agent != NULL ? config->user_agent : DEFAULT_USER_AGENT;
    if (client->rx == NULL || client->tx == NULL || client->early == NULL ||
        !http_headers_set(&client->headers, "User-Agent", agent) ||
        set_url(client, config->url) != ESP_OK) {
        esp_http_client_cleanup(client);
        return NULL;
    }
    return client;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_FAIL;
    }
    esp_http_client_close(client);
    http_headers_free(&client->headers);
    free(client->host);
    free(client->target);
    free(client->location);
    free(client->rx);
    free(client->tx);
    free(client->early);
    free(client);
    return ESP_OK;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    if (client->state > CLIENT_INIT) {
        http_client_dispatch(client, HTTP_EVENT_DISCONNECTED, &client->connection.error, 0);
        client->state = CLIENT_INIT;
    }
    http_connection_close(&client->connection);
    return ESP_OK;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key,
                                     const char *value)
{
    return http_headers_set(&client->headers, key, value) ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->config.timeout_ms = timeout_ms;
    return ESP_OK;
}

esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data, int len)
{
    client->post_data = data;
    client->post_len = data != NULL ? len : 0;
    if (data == NULL) {
        return esp_http_client_set_header(client, "Content-Type", NULL);
    }
    for (const http_header_t *header = client->headers; header != NULL; header = header->next) {
        if (strcasecmp(header->key, "Content-Type") == 0) {
            return ESP_OK;
        }
    }
    return esp_http_client_set_header(client, "Content-Type", "application/x-www-form-urlencoded");
}

static esp_err_t report_error(esp_http_client_handle_t client, esp_err_t err)
{
    http_client_dispatch(client, HTTP_EVENT_ERROR, &client->connection.error, 0);
    return err;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    client->post_len = write_len;
    esp_err_t err = http_client_connect(client);
    if (err == ESP_OK) {
        err = http_client_send_head(client, write_len);
    }
    return err == ESP_OK ? ESP_OK : report_error(client, err);
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    if (client->state < CLIENT_HEAD_SENT) {
        return ESP_FAIL;
    }
    int total = 0;
    while (total < len) {
        int sent = http_connection_write(&client->connection, buffer + total,
                                         (size_t)(len - total), client->config.timeout_ms);
        if (sent <= 0) {
            return sent;
        }
        total += sent;
    }
    return total;
}

static int64_t fetch_head(esp_http_client_handle_t client)
{
    if (client->state < CLIENT_HEAD_SENT) {
        return ESP_FAIL;
    }
    client->state = CLIENT_BODY_SENT;
    while (!http_response_has_head(&client->response)) {
        int got = http_client_receive(client, client->rx_size);
        if (got == HTTP_CONNECTION_TIMEOUT) {
            ESP_LOGW(TAG, "Connection timed out before data was ready!");
            return -ESP_ERR_HTTP_EAGAIN;
        }
        if (got < 0) {
            return ESP_FAIL;
        }
    }
    if (client->response.state == HTTP_RESPONSE_BROKEN) {
        return ESP_FAIL;
    }
    client->state = CLIENT_RECEIVING;
    return client->response.content_length > 0 ? client->response.content_length : 0;
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    client->is_fetching = true;
    int64_t length = fetch_head(client);
    client->is_fetching = false;
    return length;
}

static int take_early_bytes(esp_http_client_handle_t client, char *buffer, int len)
{
    int left = client->early_length - client->early_used;
    int taken = left < len ? left : len;
    memcpy(buffer, client->early + client->early_used, (size_t)taken);
    client->early_used += taken;
    return taken;
}

/* Receive body bytes into buffer[filled..len). The number of bytes there then, or an error. */
static int receive_body(esp_http_client_handle_t client, char *buffer, int filled, int len)
{
    while (filled < len && client->response.state < HTTP_RESPONSE_DONE) {
        client->out = buffer + filled;
        client->out_length = 0;
        int got = http_client_receive(client, len - filled);
        filled += client->out_length;
        client->out = NULL;
        if (got > 0 || http_client_is_complete(client)) {
            continue;
        }
        if (got == HTTP_CONNECTION_TIMEOUT) {
            return filled > 0 ? filled : -ESP_ERR_HTTP_EAGAIN;
        }
        return filled > 0 ? filled : report_error(client, ESP_FAIL);
    }
    bool is_broken = client->response.state == HTTP_RESPONSE_BROKEN;
    return is_broken && filled == 0 ? report_error(client, ESP_FAIL) : filled;
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    if (client->state < CLIENT_RECEIVING) {
        return ESP_FAIL;
    }
    int filled = take_early_bytes(client, buffer, len);
    return receive_body(client, buffer, filled, len);
}

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client->response.status;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    return http_client_is_complete(client);
}

/* ESP_OK, with `is_again` set when a redirection has to be followed. */
static esp_err_t follow_redirect(esp_http_client_handle_t client, bool *is_again)
{
    int status = client->response.status;
    bool is_redirect = (status >= 301 && status <= 303) || status == 307 || status == 308;
    *is_again = false;
    if (!is_redirect) {
        client->redirects = 0;
        return ESP_OK;
    }
    if (client->redirects >= client->config.max_redirection_count) {
        ESP_LOGE(TAG, "Error, reach max_redirection_count count=%d", client->redirects);
        return ESP_ERR_HTTP_MAX_REDIRECT;
    }
    if (client->config.disable_auto_redirect) {
        http_client_dispatch(client, HTTP_EVENT_REDIRECT, NULL, 0);
        return ESP_OK;
    }
    if (client->location == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->is_https && strncasecmp(client->location, "https://", 8) != 0) {
        return ESP_ERR_HTTP_REDIRECT_DOWNGRADE;
    }
    client->redirects++;
    *is_again = true;
    return ESP_OK;
}

/* One request and its answer, the body to the event handler. */
static esp_err_t exchange(esp_http_client_handle_t client)
{
    esp_err_t err = http_client_connect(client);
    if (err == ESP_OK) {
        err = http_client_send_head(client, client->post_len);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (client->post_len > 0 &&
        esp_http_client_write(client, client->post_data, client->post_len) != client->post_len) {
        return ESP_ERR_HTTP_WRITE_DATA;
    }
    int64_t length = fetch_head(client);
    if (length == -ESP_ERR_HTTP_EAGAIN) {
        return ESP_ERR_HTTP_EAGAIN;
    }
    if (length < 0) {
        return ESP_ERR_HTTP_FETCH_HEADER;
    }
    while (client->response.state < HTTP_RESPONSE_DONE) {
        if (http_client_receive(client, client->rx_size) <= 0) {
            break;
        }
    }
    return http_client_is_complete(client) ? ESP_OK : ESP_ERR_HTTP_INCOMPLETE_DATA;
}

esp_err_t esp_http_client_perform(esp_http_client_handle_t client)
{
    bool is_again;
    do {
        esp_err_t err = exchange(client);
        if (err == ESP_OK) {
            err = follow_redirect(client, &is_again);
        }
        if (err == ESP_ERR_HTTP_EAGAIN) {
            return err;
        }
        if (err != ESP_OK) {
            return report_error(client, err);
        }
        http_client_dispatch(client, HTTP_EVENT_ON_FINISH, NULL, 0);
        if (!client->response.is_keep_alive) {
            esp_http_client_close(client);
        } else {
            client->state = CLIENT_CONNECTED;
        }
        if (is_again && set_url(client, client->location) != ESP_OK) {
            return ESP_ERR_INVALID_ARG;
        }
    } while (is_again);
    return ESP_OK;
}
