/* The HTTP server: one task reads every request and runs every handler, as on the chip. */
#pragma once

#include <http_parser.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "esp_err.h"
#include "esp_event.h"
#include "esp_event_base.h"
#include "esp_heap_caps.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#define ESP_HTTPD_DEF_CTRL_PORT (32768)

/* CONFIG_HTTPD_MAX_URI_LEN and CONFIG_HTTPD_MAX_REQ_HDR_LEN of this project's sdkconfig. */
#define ESP_HOST_HTTPD_MAX_URI_LEN 512
#define ESP_HOST_HTTPD_MAX_REQ_HDR_LEN 2048

#define HTTPD_DEFAULT_CONFIG()                                                                     \
    {                                                                                              \
        .task_priority = tskIDLE_PRIORITY + 5, .stack_size = 4096, .core_id = tskNO_AFFINITY,      \
        .task_caps = (MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT),                                      \
        .max_req_hdr_len = ESP_HOST_HTTPD_MAX_REQ_HDR_LEN,                                         \
        .max_uri_len = ESP_HOST_HTTPD_MAX_URI_LEN, .server_port = 80,                              \
        .ctrl_port = ESP_HTTPD_DEF_CTRL_PORT, .max_open_sockets = 7, .max_uri_handlers = 8,        \
        .max_resp_headers = 8, .backlog_conn = 5, .lru_purge_enable = false,                       \
        .recv_wait_timeout = 5, .send_wait_timeout = 5, .uri_match_fn = NULL,                      \
    }

#define ESP_ERR_HTTPD_BASE (0xb000)
#define ESP_ERR_HTTPD_HANDLERS_FULL (ESP_ERR_HTTPD_BASE + 1)
#define ESP_ERR_HTTPD_HANDLER_EXISTS (ESP_ERR_HTTPD_BASE + 2)
#define ESP_ERR_HTTPD_INVALID_REQ (ESP_ERR_HTTPD_BASE + 3)
#define ESP_ERR_HTTPD_RESULT_TRUNC (ESP_ERR_HTTPD_BASE + 4)
#define ESP_ERR_HTTPD_RESP_HDR (ESP_ERR_HTTPD_BASE + 5)
#define ESP_ERR_HTTPD_RESP_SEND (ESP_ERR_HTTPD_BASE + 6)
#define ESP_ERR_HTTPD_ALLOC_MEM (ESP_ERR_HTTPD_BASE + 7)
#define ESP_ERR_HTTPD_TASK (ESP_ERR_HTTPD_BASE + 8)

#define HTTPD_RESP_USE_STRLEN -1

typedef void *httpd_handle_t;

typedef enum http_method httpd_method_t;

#define HTTP_ANY INT_MAX

typedef bool (*httpd_uri_match_func_t)(const char *reference_uri, const char *uri_to_match,
                                       size_t match_upto);
typedef void (*httpd_free_ctx_fn_t)(void *ctx);

typedef esp_err_t (*httpd_open_func_t)(httpd_handle_t hd, int sockfd);
typedef void (*httpd_close_func_t)(httpd_handle_t hd, int sockfd);
/** What recv() and send() return, or HTTPD_SOCK_ERR_*. */
typedef int (*httpd_recv_func_t)(httpd_handle_t hd, int sockfd, char *buf, size_t buf_len, int flags);
typedef int (*httpd_send_func_t)(httpd_handle_t hd, int sockfd, const char *buf, size_t buf_len, int flags);

typedef struct httpd_config {
    unsigned task_priority;
    size_t stack_size;
    BaseType_t core_id;
    uint32_t task_caps;
    size_t max_req_hdr_len;
    size_t max_uri_len;
    uint16_t server_port; /* the kernel may choose another one: see lwip/sockets.h */
    uint16_t ctrl_port;
    uint16_t max_open_sockets;
    uint16_t max_uri_handlers;
    uint16_t max_resp_headers;
    uint16_t backlog_conn;
    bool lru_purge_enable;
    uint16_t recv_wait_timeout; /* s */
    uint16_t send_wait_timeout; /* s */
    void *global_user_ctx;
    httpd_free_ctx_fn_t global_user_ctx_free_fn;
    /* For each new connection; other than ESP_OK ends the process: ESP-IDF 5.3 would close the descriptor twice. */
    httpd_open_func_t open_fn;
    httpd_close_func_t close_fn; /* closes it, instead of the server */
    httpd_uri_match_func_t uri_match_fn;
} httpd_config_t;

/** ESP_ERR_INVALID_ARG, ESP_ERR_HTTPD_ALLOC_MEM, ESP_ERR_HTTPD_TASK (one runs already). */
esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config);
/** Waits for a running handler, so never call it from one. */
esp_err_t httpd_stop(httpd_handle_t handle);

typedef struct httpd_req {
    httpd_handle_t handle;
    int method; /* httpd_method_t */
    const char uri[ESP_HOST_HTTPD_MAX_URI_LEN + 1];
    size_t content_len;
    void *aux;
    void *user_ctx;
    void *sess_ctx;
    httpd_free_ctx_fn_t free_ctx;
    bool ignore_sess_ctx_changes;
} httpd_req_t;

typedef struct httpd_uri {
    const char *uri;
    httpd_method_t method;
    esp_err_t (*handler)(httpd_req_t *r);
    void *user_ctx;
} httpd_uri_t;

/** ESP_ERR_HTTPD_HANDLERS_FULL, ESP_ERR_HTTPD_HANDLER_EXISTS. */
esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *uri_handler);

typedef enum {
    HTTPD_500_INTERNAL_SERVER_ERROR = 0,
    HTTPD_501_METHOD_NOT_IMPLEMENTED,
    HTTPD_505_VERSION_NOT_SUPPORTED,
    HTTPD_400_BAD_REQUEST,
    HTTPD_401_UNAUTHORIZED,
    HTTPD_403_FORBIDDEN,
    HTTPD_404_NOT_FOUND,
    HTTPD_405_METHOD_NOT_ALLOWED,
    HTTPD_408_REQ_TIMEOUT,
    HTTPD_411_LENGTH_REQUIRED,
    HTTPD_413_CONTENT_TOO_LARGE,
    HTTPD_414_URI_TOO_LONG,
    HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE,
    HTTPD_ERR_CODE_MAX
} httpd_err_code_t;

typedef esp_err_t (*httpd_err_handler_func_t)(httpd_req_t *req, httpd_err_code_t error);

/** Without a handler, an error is answered with a text and the connection is closed. */
esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error,
                                     httpd_err_handler_func_t handler_fn);

#define HTTPD_SOCK_ERR_FAIL -1
#define HTTPD_SOCK_ERR_INVALID -2
#define HTTPD_SOCK_ERR_TIMEOUT -3

typedef void (*httpd_work_fn_t)(void *arg);
/** Calls `work` in the server's task, one a round at the most. ESP_FAIL when too much is queued. */
esp_err_t httpd_queue_work(httpd_handle_t handle, httpd_work_fn_t work, void *arg);

/** In open_fn: what reads and writes the connection from now on. */
esp_err_t httpd_sess_set_recv_override(httpd_handle_t hd, int sockfd, httpd_recv_func_t recv_func);
esp_err_t httpd_sess_set_send_override(httpd_handle_t hd, int sockfd, httpd_send_func_t send_func);
/** The connection of a request. */
int httpd_req_to_sockfd(httpd_req_t *r);

/** At most 512 bytes at a time, 0 at the end of the body, HTTPD_SOCK_ERR_*. */
int httpd_req_recv(httpd_req_t *r, char *buf, size_t buf_len);
size_t httpd_req_get_hdr_value_len(httpd_req_t *r, const char *field);
/** ESP_ERR_NOT_FOUND, ESP_ERR_HTTPD_RESULT_TRUNC. Not after the response was sent. */
esp_err_t httpd_req_get_hdr_value_str(httpd_req_t *r, const char *field, char *val,
                                      size_t val_size);

#define HTTPD_200 "200 OK"
#define HTTPD_204 "204 No Content"
#define HTTPD_207 "207 Multi-Status"
#define HTTPD_400 "400 Bad Request"
#define HTTPD_404 "404 Not Found"
#define HTTPD_408 "408 Request Timeout"
#define HTTPD_500 "500 Internal Server Error"

#define HTTPD_TYPE_JSON "application/json"
#define HTTPD_TYPE_TEXT "text/html"
#define HTTPD_TYPE_OCTET "application/octet-stream"

/* Status, type and headers are not copied before the response is sent. */
esp_err_t httpd_resp_set_status(httpd_req_t *r, const char *status);
esp_err_t httpd_resp_set_type(httpd_req_t *r, const char *type);
/** ESP_ERR_HTTPD_RESP_HDR when there are max_resp_headers already. */
esp_err_t httpd_resp_set_hdr(httpd_req_t *r, const char *field, const char *value);
esp_err_t httpd_resp_send(httpd_req_t *r, const char *buf, ssize_t buf_len);
esp_err_t httpd_resp_send_chunk(httpd_req_t *r, const char *buf, ssize_t buf_len);
esp_err_t httpd_resp_send_err(httpd_req_t *req, httpd_err_code_t error, const char *msg);

static inline esp_err_t httpd_resp_sendstr(httpd_req_t *r, const char *str)
{
    return httpd_resp_send(r, str, (str == NULL) ? 0 : HTTPD_RESP_USE_STRLEN);
}

static inline esp_err_t httpd_resp_sendstr_chunk(httpd_req_t *r, const char *str)
{
    return httpd_resp_send_chunk(r, str, (str == NULL) ? 0 : HTTPD_RESP_USE_STRLEN);
}
