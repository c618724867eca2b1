/* The HTTP server's inside; shared by its files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_http_server.h"
#include "host_monitor.h"
#include "http_strict.h"

/* What the chip's server reads at once of a request's head; what lies behind the head waits in the session. */
#define HTTPD_BLOCK 128
/* What one recv hands out of a body at most: callers have to loop, as with a real socket. */
#define HTTPD_MAX_RECV 512
#define HTTPD_MAX_WORK 8
/* CONFIG_LWIP_MAX_SOCKETS of this project less the three that the server needs itself. */
#define HTTPD_MAX_SESSIONS (16 - 3)

typedef struct {
    int fd; /* -1: free */
    httpd_recv_func_t recv_fn;
    httpd_send_func_t send_fn;
    char pending[HTTPD_BLOCK]; /* received with a head, but behind it */
    size_t pending_length;
    int64_t last_used_us;
    bool was_used; /* a request was answered */
} httpd_session_t;

typedef struct httpd_server {
    httpd_config_t config;
    httpd_session_t sessions[HTTPD_MAX_SESSIONS]; /* of the server's task alone */
    int wake_fds[2];                              /* a pipe into that task */
    host_monitor_t monitor;                       /* guards all below */
    httpd_uri_t *handlers;
    size_t handler_count;
    httpd_err_handler_func_t error_handlers[HTTPD_ERR_CODE_MAX];
    int listen_fd;         /* the one that is open; -1: none */
    int next_listen_fd;    /* the one to open; -1: none */
    struct {
        httpd_work_fn_t work;
        void *arg;
    } work[HTTPD_MAX_WORK];
    size_t work_count;
    bool is_close_wanted;  /* of the listener and of every session, before the next one opens */
    bool is_stop_wanted;
    bool has_stopped;
} httpd_server_t;

typedef struct {
    const char *name;
    const char *value;
} httpd_header_t;

typedef enum {
    HTTPD_PARSE_IDLE,
    HTTPD_PARSE_URL,
    HTTPD_PARSE_FIELD,
    HTTPD_PARSE_VALUE,
    HTTPD_PARSE_BODY,
    HTTPD_PARSE_COMPLETE,
    HTTPD_PARSE_FAILED,
} httpd_parse_state_t;

typedef struct {
    http_strict_t parser;
    httpd_parse_state_t state;
    httpd_err_code_t error;
    char *at; /* where the URL, field or value began; then, where the head ends */
    size_t length;
    size_t filled; /* of `head` */
    size_t limit;
} httpd_parse_t;

/** One request; `aux` of httpd_req_t. */
typedef struct {
    httpd_server_t *server;
    httpd_session_t *session;
    httpd_req_t req;

    httpd_parse_t parse;
    char head[ESP_HOST_HTTPD_MAX_URI_LEN + ESP_HOST_HTTPD_MAX_REQ_HDR_LEN + 1];
    struct http_parser_url url;
    const char *fields; /* in `head`: each with its value up to a NUL, and more of them for the line's end */
    size_t field_count;
    size_t remaining; /* of the body */

    const char *status;
    const char *type;
    httpd_header_t *headers; /* max_resp_headers of them */
    size_t header_count;
    bool has_answered;  /* the answer's head is out */
    bool is_lost;       /* fault: acted upon, never answered */
} httpd_request_t;

/** The server's one task. `argument` is the server. */
void httpd_task(void *argument);
/** Makes the task look at what is wanted of it. */
void httpd_task_wake(httpd_server_t *server);

/** Reads and parses a head and has it dispatched. Other than ESP_OK: close the connection. */
esp_err_t httpd_parse_request(httpd_request_t *request);
/** Runs the handler that fits, or the error handler. Other than ESP_OK: close the connection. */
esp_err_t httpd_dispatch(httpd_request_t *request);
/** Runs the handler of an error. */
esp_err_t httpd_dispatch_error(httpd_request_t *request, httpd_err_code_t error);

int httpd_default_recv(httpd_handle_t hd, int sockfd, char *buf, size_t buf_len, int flags);
int httpd_default_send(httpd_handle_t hd, int sockfd, const char *buf, size_t buf_len, int flags);
