/* The HTTP server's inside; shared by its files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include "esp_http_server.h"
#include "host_monitor.h"

/* Bodies up to here are buffered before the handler runs. Longer ones never are: their handler
   runs at once, sees Content-Length, and finds that the body cannot be received. */
#define HTTPD_MAX_BODY (64 * 1024)
/* After an early answer this much is read and thrown away, so that the client gets to see it. */
#define HTTPD_MAX_DRAIN (32 * 1024 * 1024)
/* What one recv hands out at most: callers have to loop, as with a real socket. */
#define HTTPD_MAX_RECV 512
#define HTTPD_MAX_RESPONSE (256 * 1024)
#define HTTPD_MAX_SESSIONS 64

typedef struct {
    struct MHD_Connection *connection;
    int fd;
    int64_t last_used_us;
    bool is_busy;  /* a request is under way */
    bool was_used; /* a request was answered */
} httpd_session_t;

/** One listening daemon. It lives from AP up (or server start) to AP down (or server stop). */
typedef struct httpd_daemon {
    struct httpd_server *server;
    struct MHD_Daemon *mhd;
    int listen_fd;
    httpd_session_t sessions[HTTPD_MAX_SESSIONS]; /* guarded by the server's monitor */
    size_t session_count;
    unsigned answering; /* answers on their way */
} httpd_daemon_t;

typedef struct httpd_server {
    httpd_config_t config;
    host_monitor_t monitor; /* guards all below */
    httpd_uri_t *handlers;
    size_t handler_count;
    httpd_err_handler_func_t error_handlers[HTTPD_ERR_CODE_MAX];
    httpd_daemon_t *daemon; /* the one that is open; NULL: none */
    unsigned daemons;       /* including those being closed */
} httpd_server_t;

/** One request; `aux` of httpd_req_t. */
typedef struct {
    httpd_daemon_t *daemon;
    struct MHD_Connection *connection;
    char uri[ESP_HOST_HTTPD_MAX_URI_LEN + 2]; /* cut there: only the length matters then */
    bool is_begun;
    bool is_counted; /* in the daemon's `answering` */
    httpd_req_t req;

    char *body;
    size_t body_length;
    size_t body_read;
    size_t drained;
    bool is_body_refused; /* longer than HTTPD_MAX_BODY */

    const char *status;
    const char *type;
    struct {
        const char *field;
        const char *value;
    } *headers;
    size_t header_count;

    struct MHD_Response *response; /* made when the handler sends */
    char *chunks;
    size_t chunks_length;
    unsigned status_code;
    bool has_answered;
    bool is_lost;        /* fault: acted upon, never answered */
    bool is_close_wanted; /* the handler did not return ESP_OK */
} httpd_request_t;

/** Run the handler that fits, or the error handler. Fills in the answer. */
void httpd_dispatch(httpd_request_t *request);
/** Run the handler of an error. */
void httpd_dispatch_error(httpd_request_t *request, httpd_err_code_t error);

void httpd_daemon_open(void *server, int listen_fd);
void httpd_daemon_close(void *server);
