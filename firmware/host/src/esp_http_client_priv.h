/* The HTTP client's handle; shared by its two files. */
#pragma once

#include "esp_http_client.h"
#include "http_connection.h"
#include "http_headers.h"
#include "http_response.h"

typedef enum {
    CLIENT_INIT,
    CLIENT_CONNECTED,
    CLIENT_HEAD_SENT,
    CLIENT_BODY_SENT,
    CLIENT_RECEIVING,
} client_state_t;

struct esp_http_client {
    esp_http_client_config_t config; /* strings in it are the caller's, as in ESP-IDF */
    client_state_t state;
    bool is_https;
    char *host;
    int port;
    char *target; /* path and query */
    char *location;
    int redirects;
    http_header_t *headers;
    const char *post_data;
    int post_len;
    http_connection_t connection;
    http_response_t response;
    char *rx; /* rx_size bytes */
    int rx_size;
    char *tx; /* tx_size bytes */
    int tx_size;
    char *early; /* body bytes that came with the head; at most rx_size */
    int early_length;
    int early_used;
    char *out; /* where read() wants its bytes; NULL while performing or fetching the head */
    int out_length;
    bool is_fetching; /* the head, for open/fetch/read */
};

/** Run the event handler; it may be NULL. */
void http_client_dispatch(esp_http_client_handle_t client, esp_http_client_event_id_t id,
                          void *data, int length);
/** As esp_http_client_open without the error event. */
esp_err_t http_client_connect(esp_http_client_handle_t client);
esp_err_t http_client_send_head(esp_http_client_handle_t client, int write_len);
/** Read once from the connection and parse. Bytes read or HTTP_CONNECTION_*. */
int http_client_receive(esp_http_client_handle_t client, int size);
bool http_client_is_complete(esp_http_client_handle_t client);
