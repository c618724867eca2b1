/* The API of esp_http_client, blocking mode, as ESP-IDF 5.5 has it: a client and what it is to ask for. */
#include "esp_http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_http_client_priv.h"
#include "esp_log.h"

#define DEFAULT_TIMEOUT_MS 5000
#define DEFAULT_MAX_REDIRECTS 10
#define DEFAULT_USER_AGENT "ESP32 HTTP Client/1.0"
#define HTTP_PORT 80
#define HTTPS_PORT 443

static const char *TAG = "HTTP_CLIENT";

static bool replace(char **text, const char *with, size_t length)
{
    free(*text);
    *text = strndup(with, length);
    return *text != NULL;
}

static bool set_host_header(esp_http_client_handle_t client)
{
    bool is_default_port = client->port == HTTP_PORT || client->port == HTTPS_PORT;
    bool is_ipv6 = strchr(client->host, ':') != NULL;
    size_t size = strlen(client->host) + sizeof "[]:65535";
    char *value = malloc(size);
    if (value == NULL) {
        return false;
    }
    int length = snprintf(value, size, is_ipv6 ? "[%s]" : "%s", client->host);
    if (!is_default_port) {
        snprintf(value + length, size - (size_t)length, ":%d", client->port);
    }
    bool is_set = http_headers_set(&client->headers, "Host", value);
    free(value);
    return is_set;
}

typedef struct {
    const char *url;
    struct http_parser_url parts;
} parsed_url_t;

/* Takes over a part of the URL; where it has none, `otherwise`, or leaves what was there. False without memory. */
static bool take(char **text, const parsed_url_t *parsed, enum http_parser_url_fields part, const char *otherwise)
{
    size_t length = parsed->parts.field_data[part].len;
    if (length > 0) {
        return replace(text, parsed->url + parsed->parts.field_data[part].off, length);
    }
    return otherwise == NULL || replace(text, otherwise, strlen(otherwise));
}

static void hang_up(esp_http_client_handle_t client)
{
    http_client_drop_cache(client);
    http_client_close(client);
}

static bool take_host(esp_http_client_handle_t client, const parsed_url_t *parsed)
{
    char *host = NULL;
    if (!take(&host, parsed, UF_HOST, NULL)) {
        return false;
    }
    char *old_host = client->host;
    client->host = host != NULL ? host : old_host;
    bool is_another = host != NULL && old_host != NULL && strcasecmp(old_host, host) != 0;
    if (is_another) {
        http_headers_set(&client->headers, "Host", host); /* without the port, as ESP-IDF does it */
        hang_up(client);
    }
    free(host != NULL ? old_host : NULL);
    return true;
}

static esp_err_t set_url(esp_http_client_handle_t client, const char *url)
{
    parsed_url_t parsed = {.url = url};
    if (http_strict_parse_url(url, strlen(url), 0, &parsed.parts) != 0) {
        ESP_LOGE(TAG, "Error parse url %s", url);
        return ESP_ERR_INVALID_ARG;
    }
    int old_port = client->port;
    if (!take_host(client, &parsed) || !take(&client->scheme, &parsed, UF_SCHEMA, NULL)) {
        return ESP_ERR_NO_MEM;
    }
    if (parsed.parts.field_data[UF_SCHEMA].len > 0) {
        bool is_https = strcasecmp(client->scheme, "https") == 0;
        bool is_http = strcasecmp(client->scheme, "http") == 0;
        client->port = is_https ? HTTPS_PORT : is_http ? HTTP_PORT : client->port;
    }
    if (parsed.parts.field_data[UF_PORT].len > 0) {
        client->port = parsed.parts.port;
    }
    if (client->port != old_port) {
        hang_up(client);
    }
    free(client->query);
    client->query = NULL;
    bool is_taken = take(&client->path, &parsed, UF_PATH, "/") && take(&client->query, &parsed, UF_QUERY, NULL);
    return is_taken ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url)
{
    return client != NULL && url != NULL ? set_url(client, url) : ESP_ERR_INVALID_ARG;
}

static void set_defaults(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    client->config = *config;
    if (config->timeout_ms == 0) {
        client->config.timeout_ms = DEFAULT_TIMEOUT_MS;
    }
    if (config->max_redirection_count == 0) {
        client->config.max_redirection_count = DEFAULT_MAX_REDIRECTS;
    }
    client->rx_size = config->buffer_size > 0 ? config->buffer_size : DEFAULT_HTTP_BUF_SIZE;
    client->tx_size = config->buffer_size_tx > 0 ? config->buffer_size_tx : DEFAULT_HTTP_BUF_SIZE;
    bool is_https = config->transport_type == HTTP_TRANSPORT_OVER_SSL;
    client->port = is_https ? HTTPS_PORT : HTTP_PORT;
    client->scheme = strdup(is_https ? "https" : "http");
    client->path = strdup("/");
    client->rx = malloc((size_t)client->rx_size);
    client->tx = malloc((size_t)client->tx_size);
    client->is_caching = true;
    client->connection.socket.fd = -1;
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    esp_http_client_handle_t client = calloc(1, sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    set_defaults(client, config);
    const char *agent = config->user_agent != NULL ? config->user_agent : DEFAULT_USER_AGENT;
    bool is_ready = client->scheme != NULL && client->path != NULL && client->rx != NULL && client->tx != NULL &&
                    esp_http_client_set_url(client, config->url) == ESP_OK && client->host != NULL &&
                    http_headers_set(&client->headers, "User-Agent", agent) && set_host_header(client);
    if (!is_ready) {
        ESP_LOGE(TAG, "Failed to set URL"); /* or out of memory */
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
    hang_up(client);
    http_headers_free(&client->headers);
    char *owned[] = {client->scheme, client->host, client->path, client->query, client->location,
                     client->key, client->value, client->rx, client->tx};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    free(client);
    return ESP_OK;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    http_client_close(client);
    return ESP_OK;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value)
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
    if (data != NULL && http_headers_have(client->headers, "Content-Type")) {
        return ESP_OK;
    }
    return esp_http_client_set_header(client, "Content-Type", data != NULL ? "application/x-www-form-urlencoded" : NULL);
}
