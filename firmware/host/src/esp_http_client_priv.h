/* The HTTP client's handle; shared by its files. */
#pragma once

#include "esp_http_client.h"
#include "host_connection.h"
#include "http_headers.h"
#include "http_strict.h"

typedef enum {
    CLIENT_INIT,
    CLIENT_CONNECTED,
    CLIENT_HEAD_SENT,
    CLIENT_BODY_SENT,
    CLIENT_HEAD_RECEIVED,
    CLIENT_RECEIVING,
} client_state_t;

struct esp_http_client {
    esp_http_client_config_t config; /* strings in it are the caller's, as in ESP-IDF */
    client_state_t state;
    char *scheme;
    char *host;
    int port;
    char *path;
    char *query; /* NULL: none */
    char *location;
    int redirects;
    bool has_to_go_on; /* elsewhere, with the same request */
    http_header_t *headers;
    const char *post_data;
    int post_len;
    host_connection_t connection;
    char *rx; /* rx_size bytes */
    int rx_size;
    char *tx; /* tx_size bytes */
    int tx_size;
    /* The answer. */
    http_strict_t parser;
    char *key; /* the header that is being received */
    char *value;
    int status;
    int64_t content_length;
    int64_t processed; /* of the body */
    bool is_chunked;   /* or has a length that is not known */
    bool is_chunk_complete;
    bool is_caching; /* what comes of the body with its head */
    char *cached;
    int cached_at;
    int unread;   /* cached, or come since the last look */
    char *out;    /* where read() wants its bytes */
};

/** Runs the event handler; it may be NULL. */
void http_client_dispatch(esp_http_client_handle_t client, esp_http_client_event_id_t id, void *data, int length);
void http_client_drop_cache(esp_http_client_handle_t client);

/** Expect an answer. */
void http_client_prepare(esp_http_client_handle_t client);
/** Parse what was received; 0 bytes are its end. The flaws of it show in what does not come. */
void http_client_parse(esp_http_client_handle_t client, int length);

esp_err_t http_client_connect(esp_http_client_handle_t client);
esp_err_t http_client_send_head(esp_http_client_handle_t client, int write_len);
void http_client_close(esp_http_client_handle_t client);
