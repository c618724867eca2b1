/*
 * The wire side of the HTTP server: libmicrohttpd with one thread. It pushes bodies, the API
 * pulls them, so a body is collected first, up to a bound.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host_air.h"
#include "httpd_priv.h"

/* Room for the longest head that is still answered with 414 or 431 instead of a bare close. */
#define CONNECTION_MEMORY (64 * 1024)
/* How long a new connection may be silent. */
#define FIRST_REQUEST_S 10u
/* How long answers on their way may take once the server closes. */
#define CLOSE_GRACE_US (2 * 1000000)

static const char *TAG = "httpd";

/* ---- sessions: one per connection, for max_open_sockets and its LRU purge ---- */

/* With the monitor locked. */
static httpd_session_t *find_session(httpd_daemon_t *daemon, struct MHD_Connection *connection)
{
    for (size_t i = 0; i < daemon->session_count; i++) {
        if (daemon->sessions[i].connection == connection) {
            return &daemon->sessions[i];
        }
    }
    return NULL;
}

static bool has_input(int fd)
{
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

/* The session least recently used that nobody would miss. One that has not had its first request
   yet is spared: on the chip the radio is slower than the server, here the request is still on its
   way. It has until FIRST_REQUEST_S. */
static httpd_session_t *find_purgeable(httpd_daemon_t *daemon)
{
    httpd_session_t *oldest = NULL;
    for (size_t i = 0; i < daemon->session_count; i++) {
        httpd_session_t *session = &daemon->sessions[i];
        bool is_idle = session->was_used && !session->is_busy && !has_input(session->fd);
        if (is_idle && (oldest == NULL || session->last_used_us < oldest->last_used_us)) {
            oldest = session;
        }
    }
    return oldest;
}

/* With the monitor locked. */
static void purge(httpd_daemon_t *daemon)
{
    const httpd_config_t *config = &daemon->server->config;
    if (config->lru_purge_enable && daemon->session_count > config->max_open_sockets) {
        httpd_session_t *purged = find_purgeable(daemon);
        if (purged != NULL) {
            shutdown(purged->fd, SHUT_RDWR); /* libmicrohttpd notices and closes it */
            purged->is_busy = true;          /* not to be chosen twice */
        }
    }
}

static void add_session(httpd_daemon_t *daemon, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    httpd_server_t *server = daemon->server;
    host_monitor_lock(&server->monitor);
    if (info != NULL && daemon->session_count < HTTPD_MAX_SESSIONS) {
        daemon->sessions[daemon->session_count++] = (httpd_session_t){
            .connection = connection, .fd = info->connect_fd, .last_used_us = host_uptime_us()};
    }
    purge(daemon);
    host_monitor_unlock(&server->monitor);
}

static void remove_session(httpd_daemon_t *daemon, struct MHD_Connection *connection)
{
    host_monitor_lock(&daemon->server->monitor);
    httpd_session_t *session = find_session(daemon, connection);
    if (session != NULL) {
        *session = daemon->sessions[--daemon->session_count];
    }
    host_monitor_unlock(&daemon->server->monitor);
}

static void mark_session(httpd_daemon_t *daemon, struct MHD_Connection *connection, bool is_busy)
{
    host_monitor_lock(&daemon->server->monitor);
    httpd_session_t *session = find_session(daemon, connection);
    if (session != NULL) {
        session->is_busy = is_busy;
        session->was_used = session->was_used || !is_busy;
        session->last_used_us = host_uptime_us();
        purge(daemon);
    }
    host_monitor_unlock(&daemon->server->monitor);
}

static void on_connection(void *argument, struct MHD_Connection *connection,
                          void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    (void)socket_context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        add_session(argument, connection);
    } else {
        remove_session(argument, connection);
    }
}

/* ---- requests ---- */

/* The earliest sight of a request: its raw target, which ESP-IDF does not decode. */
static void *on_uri(void *argument, const char *uri, struct MHD_Connection *connection)
{
    httpd_daemon_t *daemon = argument;
    httpd_request_t *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return NULL;
    }
    request->daemon = daemon;
    request->connection = connection;
    request->status = HTTPD_200;
    request->type = HTTPD_TYPE_TEXT;
    request->headers = calloc(daemon->server->config.max_resp_headers + 1u,
                              sizeof *request->headers);
    if (request->headers == NULL) {
        free(request);
        return NULL;
    }
    snprintf(request->uri, sizeof request->uri, "%s", uri);
    mark_session(daemon, connection, true);
    return request;
}

static int method_of(const char *name)
{
    static const struct {
        const char *name;
        httpd_method_t method;
    } METHODS[] = {
        {"DELETE", HTTP_DELETE}, {"GET", HTTP_GET},         {"HEAD", HTTP_HEAD},
        {"POST", HTTP_POST},     {"PUT", HTTP_PUT},         {"CONNECT", HTTP_CONNECT},
        {"TRACE", HTTP_TRACE},   {"OPTIONS", HTTP_OPTIONS}, {"PATCH", HTTP_PATCH},
    };
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        if (strcmp(name, METHODS[i].name) == 0) {
            return (int)METHODS[i].method;
        }
    }
    return -1;
}

/* ESP-IDF's parser logs every value that it meets. */
static enum MHD_Result add_header_length(void *total, enum MHD_ValueKind kind, const char *key,
                                         const char *value)
{
    (void)kind;
    ESP_LOGD("httpd_parse", "processing value = %s", value != NULL ? value : "");
    *(size_t *)total += strlen(key) + (value != NULL ? strlen(value) : 0) + strlen(": \r\n");
    return MHD_YES;
}

/* A head that ESP-IDF would refuse: true with the error. */
static bool is_head_refused(httpd_request_t *request, int method, httpd_err_code_t *error)
{
    size_t header_length = 0;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_header_length,
                              &header_length);
    const httpd_config_t *config = &request->daemon->server->config;
    size_t max_uri = config->max_uri_len > 0 ? config->max_uri_len : ESP_HOST_HTTPD_MAX_URI_LEN;
    size_t max_head =
        config->max_req_hdr_len > 0 ? config->max_req_hdr_len : ESP_HOST_HTTPD_MAX_REQ_HDR_LEN;
    if (strlen(request->uri) > max_uri) {
        *error = HTTPD_414_URI_TOO_LONG;
    } else if (header_length > max_head) {
        *error = HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE;
    } else if (method < 0) {
        *error = HTTPD_400_BAD_REQUEST;
    } else {
        return false;
    }
    return true;
}

static void note_answer(httpd_request_t *request)
{
    httpd_server_t *server = request->daemon->server;
    host_monitor_lock(&server->monitor);
    request->daemon->answering++;
    request->is_counted = true;
    host_monitor_unlock(&server->monitor);
}

static void forget_answer(httpd_request_t *request)
{
    httpd_server_t *server = request->daemon->server;
    host_monitor_lock(&server->monitor);
    request->daemon->answering -= request->is_counted ? 1 : 0;
    host_monitor_notify(&server->monitor);
    host_monitor_unlock(&server->monitor);
}

static void run_handler(httpd_request_t *request, const char *method)
{
    char call[ESP_HOST_HTTPD_MAX_URI_LEN + 16];
    snprintf(call, sizeof call, "%s %.*s", method, (int)strcspn(request->uri, "?"), request->uri);
    httpd_dispatch(request);
    request->is_lost = host_air_is_reply_lost(call);
}

/* Queue what the handler answered; MHD_NO closes the connection without an answer. */
static enum MHD_Result send_answer(httpd_request_t *request)
{
    if (request->response == NULL || request->is_lost) {
        return MHD_NO;
    }
    bool is_last = request->is_close_wanted || request->is_body_refused;
    if (is_last) {
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    return MHD_queue_response(request->connection, request->status_code, request->response);
}

static void set_timeout(httpd_request_t *request, unsigned seconds)
{
    MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

static bool does_client_wait(httpd_request_t *request)
{
    const char *expect =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);
    return expect != NULL; /* 100-continue: it sends no body before our answer */
}

/* The head is complete: refuse it, or answer early, or begin to collect the body. */
static enum MHD_Result begin(httpd_request_t *request, const char *method)
{
    request->is_begun = true;
    const char *length =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Content-Length");
    size_t content_len = length != NULL ? strtoull(length, NULL, 10) : 0;
    request->req.handle = request->daemon->server;
    request->req.aux = request;
    request->req.method = method_of(method);
    request->req.content_len = content_len;
    memcpy((char *)request->req.uri, request->uri, sizeof request->req.uri - 1);
    set_timeout(request, request->daemon->server->config.recv_wait_timeout);

    httpd_err_code_t error;
    request->is_body_refused = content_len > HTTPD_MAX_BODY;
    if (is_head_refused(request, request->req.method, &error)) {
        note_answer(request);
        httpd_dispatch_error(request, error);
    } else if (request->is_body_refused) {
        note_answer(request);
        run_handler(request, method);
    } else {
        request->body = malloc(content_len + 1);
        return request->body != NULL ? MHD_YES : MHD_NO;
    }
    bool is_body_coming = content_len > 0 && !does_client_wait(request);
    return is_body_coming ? MHD_YES : send_answer(request);
}

/* Body bytes: keep them, or throw them away when the answer is there already. */
static enum MHD_Result take_body(httpd_request_t *request, const char *data, size_t *length)
{
    if (request->body == NULL) {
        request->drained += *length;
        *length = 0;
        return request->drained <= HTTPD_MAX_DRAIN ? MHD_YES : MHD_NO;
    }
    /* A chunked body has no Content-Length; ESP-IDF does not read it, and neither does this. */
    size_t room = request->req.content_len - request->body_length;
    size_t kept = *length < room ? *length : room;
    memcpy(request->body + request->body_length, data, kept);
    request->body_length += kept;
    *length = 0;
    return MHD_YES;
}

static enum MHD_Result on_access(void *argument, struct MHD_Connection *connection,
                                 const char *url, const char *method, const char *version,
                                 const char *upload_data, size_t *upload_data_size, void **context)
{
    (void)argument;
    (void)connection;
    (void)url;
    (void)version;
    httpd_request_t *request = *context;
    if (request == NULL) {
        return MHD_NO;
    }
    if (!request->is_begun) {
        return begin(request, method);
    }
    if (*upload_data_size > 0) {
        return take_body(request, upload_data, upload_data_size);
    }
    if (!request->has_answered && request->body != NULL) {
        note_answer(request);
        run_handler(request, method);
        free(request->body);
        request->body = NULL;
    }
    return send_answer(request);
}

static void on_completed(void *argument, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)code;
    httpd_daemon_t *daemon = argument;
    httpd_request_t *request = *context;
    if (request == NULL) {
        return;
    }
    *context = NULL;
    forget_answer(request);
    mark_session(daemon, connection, false);
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    free(request->headers);
    free(request->chunks);
    free(request->body);
    free(request);
}

/* ---- the daemon ---- */

static size_t keep_escapes(void *argument, struct MHD_Connection *connection, char *text)
{
    (void)argument;
    (void)connection;
    return strlen(text);
}

static void log_library(void *argument, const char *format, va_list args)
{
    (void)argument;
    char text[256];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    ESP_LOGD(TAG, "%s", text);
}

void httpd_daemon_open(void *argument, int listen_fd)
{
    httpd_server_t *server = argument;
    httpd_daemon_t *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL) {
        abort();
    }
    daemon->server = server;
    daemon->listen_fd = listen_fd;
    /* With LRU purge a new connection is let in first, then an old one goes. */
    unsigned limit = server->config.max_open_sockets + (server->config.lru_purge_enable ? 8u : 0u);
    daemon->mhd = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG |
            MHD_USE_SUPPRESS_DATE_NO_CLOCK,
        0, NULL, NULL, on_access,
        daemon, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_CONNECTION_TIMEOUT, FIRST_REQUEST_S, MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, on_connection, daemon,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, daemon, MHD_OPTION_URI_LOG_CALLBACK, on_uri,
        daemon, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    if (daemon->mhd == NULL) {
        ESP_LOGE(TAG, "the HTTP server cannot start");
        abort();
    }
    host_monitor_lock(&server->monitor);
    server->daemon = daemon;
    server->daemons++;
    host_monitor_unlock(&server->monitor);
}

/* In a task of its own: the one that closes may be a handler, which cannot wait for itself. */
static void end_daemon(void *argument)
{
    httpd_daemon_t *daemon = argument;
    httpd_server_t *server = daemon->server;
    MHD_quiesce_daemon(daemon->mhd);
    int64_t deadline = host_uptime_us() + CLOSE_GRACE_US;
    host_monitor_lock(&server->monitor);
    while (daemon->answering > 0 && host_monitor_wait_until(&server->monitor, deadline)) {
    }
    host_monitor_unlock(&server->monitor);
    MHD_stop_daemon(daemon->mhd); /* waits for a running handler */
    close(daemon->listen_fd);
    free(daemon);

    host_monitor_lock(&server->monitor);
    server->daemons--;
    host_monitor_notify(&server->monitor);
    host_monitor_unlock(&server->monitor);
    vTaskDelete(NULL);
}

void httpd_daemon_close(void *argument)
{
    httpd_server_t *server = argument;
    host_monitor_lock(&server->monitor);
    httpd_daemon_t *daemon = server->daemon;
    server->daemon = NULL;
    host_monitor_unlock(&server->monitor);
    if (daemon == NULL) {
        return;
    }
    shutdown(daemon->listen_fd, SHUT_RDWR); /* from now on connections are refused */
    if (xTaskCreate(end_daemon, "httpd_end", 0, daemon, 5, NULL) != pdPASS) {
        abort();
    }
}
