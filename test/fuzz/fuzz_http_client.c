/* The host port's client on a server's bytes, and on URLs: esp_http_client*.c and http_parser below them. */
#include "esp_http_client.h"
#include "esp_http_client_priv.h"
#include "fuzz.h"

enum { URL, GET, HEAD, PERFORM, MODES };

static input_t s_input;
static uint8_t s_pieces;
static size_t s_told; /* of a body, by events */

bool host_connection_open(host_connection_t *connection, const host_endpoint_t *endpoint)
{
    MUST(endpoint->host[0] != '\0' && endpoint->port >= 0 && endpoint->port <= 65535);
    memset(connection, 0, sizeof *connection);
    return true;
}

int host_connection_read(host_connection_t *connection, void *buffer, size_t size, int timeout_ms)
{
    (void)connection;
    (void)timeout_ms;
    size_t most = s_pieces == 0 ? size : 1 + s_input.left % s_pieces;
    size = size < most ? size : most;
    size = size < s_input.left ? size : s_input.left;
    memcpy(buffer, s_input.at, size);
    s_input.at += size;
    s_input.left -= size;
    return size > 0 ? (int)size : s_pieces % 2 == 0 ? HOST_CONNECTION_CLOSED : HOST_CONNECTION_TIMEOUT;
}

int host_connection_write(host_connection_t *connection, const void *data, size_t size, int timeout_ms)
{
    (void)connection;
    (void)timeout_ms;
    MUST(data != NULL && size > 0);
    return (int)size;
}

void host_connection_close(host_connection_t *connection)
{
    connection->socket.fd = -1;
}

static esp_err_t on_event(esp_http_client_event_t *event)
{
    if (event->event_id == HTTP_EVENT_ON_HEADER) {
        MUST(strlen(event->header_key) > 0 && event->header_value != NULL);
    }
    s_told += event->event_id == HTTP_EVENT_ON_DATA ? (size_t)event->data_len : 0;
    return ESP_OK;
}

static void fetch(esp_http_client_handle_t client)
{
    char body[100];
    size_t read = 0;
    MUST(esp_http_client_open(client, 0) == ESP_OK);
    int64_t length = 0;
    for (int i = 0; i < 4 && length >= 0 && (i == 0 || esp_http_client_get_status_code(client) < 200); i++) {
        length = esp_http_client_fetch_headers(client);
    }
    int got = 1;
    while (length >= 0 && got > 0) {
        got = esp_http_client_read(client, body, sizeof body);
        MUST(got <= (int)sizeof body);
        read += got > 0 ? (size_t)got : 0;
    }
    MUST(read <= s_told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    s_input = (input_t){.at = data, .left = size};
    uint8_t mode = take_byte(&s_input) % MODES;
    s_pieces = take_byte(&s_input);
    s_told = 0;
    esp_http_client_config_t config = {.url = "http://h/", .event_handler = on_event, .buffer_size = 300,
                                       .disable_auto_redirect = s_pieces % 3 == 0, .max_redirection_count = 3,
                                       .method = mode == HEAD ? HTTP_METHOD_HEAD : HTTP_METHOD_GET};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    MUST(client != NULL);
    if (mode == URL) {
        char *url = take_text(&s_input, s_input.left);
        esp_err_t err = esp_http_client_set_url(client, url);
        MUST(err == ESP_OK || err == ESP_ERR_INVALID_ARG);
        MUST(client->host[0] != '\0' && (client->path[0] == '/' || client->path[0] == '*'));
        free(url);
    } else if (mode == PERFORM) {
        esp_http_client_perform(client);
    } else {
        fetch(client);
    }
    esp_http_client_cleanup(client);
    return 0;
}
