/*
 * The server's one task: it waits for whatever can be read, and serves one request after the other, from its
 * first byte to its last. Whoever is slow holds up everybody, as on the chip.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host_softap.h"
#include "httpd_priv.h"

/* A new connection is not the first to be purged before it had this long for its first request: on the chip
   the radio is slower than the server, here the request is still on its way. */
#define FIRST_REQUEST_US (100 * 1000)
#define FULL_PAUSE_MS 20
/* What was sent at the end is lost when there is unread input at the close: both take moments only. */
#define CLOSE_SILENCE_MS 50
#define CLOSE_GRACE_US (200 * 1000)

static const char *TAG = "httpd";

/* ---- sessions ---- */

static void drain(int fd)
{
    char scrap[4096];
    int64_t deadline_us = host_uptime_us() + CLOSE_GRACE_US;
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    shutdown(fd, SHUT_WR);
    while (host_uptime_us() < deadline_us && poll(&waited, 1, CLOSE_SILENCE_MS) == 1 &&
           recv(fd, scrap, sizeof scrap, MSG_DONTWAIT) > 0) {
    }
}

static void close_session(httpd_server_t *server, httpd_session_t *session)
{
    if (session->fd >= 0) {
        if (server->config.close_fn != NULL) {
            server->config.close_fn(server, session->fd);
        } else {
            close(session->fd);
        }
        session->fd = -1;
    }
}

static void close_all(httpd_server_t *server)
{
    for (size_t i = 0; i < server->config.max_open_sockets; i++) {
        close_session(server, &server->sessions[i]);
    }
}

static bool has_input(int fd)
{
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

static bool is_purgeable(const httpd_session_t *session)
{
    bool had_time = session->was_used || host_uptime_us() - session->last_used_us > FIRST_REQUEST_US;
    return had_time && session->pending_length == 0 && !has_input(session->fd);
}

/* A free place, if need be that of the session least recently used which nobody would miss; NULL: none. */
static httpd_session_t *find_place(httpd_server_t *server)
{
    httpd_session_t *oldest = NULL;
    for (size_t i = 0; i < server->config.max_open_sockets; i++) {
        httpd_session_t *session = &server->sessions[i];
        if (session->fd < 0) {
            return session;
        }
        if (server->config.lru_purge_enable && is_purgeable(session) &&
            (oldest == NULL || session->last_used_us < oldest->last_used_us)) {
            oldest = session;
        }
    }
    if (oldest != NULL) {
        close_session(server, oldest);
    }
    return oldest;
}

static void set_timeouts(int fd, const httpd_config_t *config)
{
    struct timeval receive = {.tv_sec = config->recv_wait_timeout};
    struct timeval send = {.tv_sec = config->send_wait_timeout};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof send);
}

/* False when there is no place for anybody now. */
static bool let_in(httpd_server_t *server, int listen_fd)
{
    httpd_session_t *session = find_place(server);
    if (session == NULL) {
        return false;
    }
    int fd = host_softap_accept(listen_fd);
    if (fd < 0) {
        return true;
    }
    set_timeouts(fd, &server->config);
    *session = (httpd_session_t){.fd = fd,
                                 .recv_fn = httpd_default_recv,
                                 .send_fn = httpd_default_send,
                                 .last_used_us = host_uptime_us()};
    if (server->config.open_fn != NULL && server->config.open_fn(server, fd) != ESP_OK) {
        ESP_LOGE(TAG, "open_fn refused a connection: ESP-IDF 5.3 closes its descriptor twice");
        abort();
    }
    return true;
}

/* ---- one request ---- */

/* What the handler left of the body, so that the next request begins where it begins. */
static bool purge_body(httpd_request_t *request)
{
    char scrap[HTTPD_MAX_RECV];
    while (request->remaining > 0) {
        if (httpd_req_recv(&request->req, scrap, sizeof scrap) <= 0) {
            return false;
        }
    }
    return true;
}

/* False: close the connection. */
static bool serve(httpd_server_t *server, httpd_session_t *session)
{
    httpd_request_t *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return false;
    }
    request->server = server;
    request->session = session;
    request->status = HTTPD_200;
    request->type = HTTPD_TYPE_TEXT;
    request->headers = calloc(server->config.max_resp_headers + 1u, sizeof *request->headers);
    request->req.handle = server;
    request->req.aux = request;
    bool is_kept = request->headers != NULL && httpd_parse_request(request) == ESP_OK && !request->is_lost && purge_body(request);
    free(request->headers);
    explicit_bzero(request, sizeof *request); /* tokens */
    free(request);
    session->was_used = true;
    session->last_used_us = host_uptime_us();
    return is_kept;
}

/* ---- the loop ---- */

/* What others want of the task. False: stop. */
static bool obey(httpd_server_t *server)
{
    host_monitor_lock(&server->monitor);
    bool is_close_wanted = server->is_close_wanted;
    server->is_close_wanted = false;
    if (is_close_wanted && server->listen_fd >= 0) {
        close(server->listen_fd);
        server->listen_fd = -1;
    }
    if (server->next_listen_fd >= 0) {
        server->listen_fd = server->next_listen_fd;
        server->next_listen_fd = -1;
    }
    bool is_stop_wanted = server->is_stop_wanted;
    host_monitor_unlock(&server->monitor);
    if (is_close_wanted) {
        close_all(server);
    }
    return !is_stop_wanted;
}

/* One piece a round, as the chip's server reads one message a round. */
static void do_work(httpd_server_t *server)
{
    host_monitor_lock(&server->monitor);
    httpd_work_fn_t work = NULL;
    void *arg = NULL;
    if (server->work_count > 0) {
        work = server->work[0].work;
        arg = server->work[0].arg;
        server->work_count--;
        memmove(server->work, server->work + 1, server->work_count * sizeof server->work[0]);
    }
    host_monitor_unlock(&server->monitor);
    if (work == NULL) {
        return;
    }
    work(arg);
    host_monitor_lock(&server->monitor);
    bool is_idle = server->work_count == 0;
    host_monitor_unlock(&server->monitor);
    if (is_idle) {
        host_softap_note_idle();
    }
}

static int listener_of(httpd_server_t *server)
{
    host_monitor_lock(&server->monitor);
    int fd = server->listen_fd;
    host_monitor_unlock(&server->monitor);
    return fd;
}

static void serve_all(httpd_server_t *server, const struct pollfd *ready)
{
    for (size_t i = 0; i < server->config.max_open_sockets; i++) {
        httpd_session_t *session = &server->sessions[i];
        bool is_readable = session->fd >= 0 && session->fd == ready[i].fd && ready[i].revents != 0;
        if (session->fd >= 0 && (is_readable || session->pending_length > 0) && !serve(server, session)) {
            drain(session->fd);
            close_session(server, session);
        }
    }
}

/* A round; `is_full`: nobody more can be let in at the moment. */
static bool serve_round(httpd_server_t *server, bool is_full)
{
    enum { WAKE = HTTPD_MAX_SESSIONS, LISTENER, COUNT };
    struct pollfd ready[COUNT] = {[WAKE] = {.fd = server->wake_fds[0], .events = POLLIN},
                                  [LISTENER] = {.fd = is_full ? -1 : listener_of(server), .events = POLLIN}};
    bool has_pending = false;
    for (size_t i = 0; i < HTTPD_MAX_SESSIONS; i++) {
        ready[i] = (struct pollfd){.fd = server->sessions[i].fd, .events = POLLIN};
        has_pending = has_pending || (ready[i].fd >= 0 && server->sessions[i].pending_length > 0);
    }
    (void)poll(ready, COUNT, has_pending ? 0 : is_full ? FULL_PAUSE_MS : -1);
    char message;
    if (ready[WAKE].revents != 0 && read(server->wake_fds[0], &message, 1) < 0) {
        ESP_LOGW(TAG, "its pipe: %s", strerror(errno));
    }
    if (ready[WAKE].revents != 0) {
        do_work(server);
    }
    serve_all(server, ready);
    return ready[LISTENER].revents != 0 && !let_in(server, ready[LISTENER].fd);
}

void httpd_task(void *argument)
{
    httpd_server_t *server = argument;
    bool is_full = false;
    while (obey(server)) {
        is_full = serve_round(server, is_full);
    }
    close_all(server);
    host_monitor_lock(&server->monitor);
    if (server->listen_fd >= 0) {
        close(server->listen_fd);
        server->listen_fd = -1;
    }
    server->has_stopped = true;
    host_monitor_notify(&server->monitor);
    host_monitor_unlock(&server->monitor);
    vTaskDelete(NULL);
}

void httpd_task_wake(httpd_server_t *server)
{
    if (write(server->wake_fds[1], "", 1) != 1) {
        ESP_LOGW(TAG, "its pipe: %s", strerror(errno));
    }
}
