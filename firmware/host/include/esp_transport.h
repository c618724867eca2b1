/* The types of tcp_transport that other headers mention. */
#pragma once

#include <stdbool.h>

#include "esp_err.h"

typedef struct esp_transport_keepalive {
    bool keep_alive_enable;
    int keep_alive_idle;
    int keep_alive_interval;
    int keep_alive_count;
} esp_transport_keep_alive_t;

typedef struct esp_transport_list_t *esp_transport_list_handle_t;
typedef struct esp_transport_item_t *esp_transport_handle_t;
typedef struct esp_tls_last_error *esp_tls_error_handle_t;

#define ESP_ERR_TCP_TRANSPORT_BASE (0xe000)
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT (ESP_ERR_TCP_TRANSPORT_BASE + 1)
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN (ESP_ERR_TCP_TRANSPORT_BASE + 2)
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED (ESP_ERR_TCP_TRANSPORT_BASE + 3)
#define ESP_ERR_TCP_TRANSPORT_NO_MEM (ESP_ERR_TCP_TRANSPORT_BASE + 4)
