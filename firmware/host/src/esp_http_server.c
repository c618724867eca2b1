/* The server: start and stop, its listener, its connections. */
#include "esp_http_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "host_softap.h"
#include "httpd_priv.h"

static const char *TAG = "httpd";

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static httpd_server_t *s_server; /* one port, one server */

static httpd_server_t *new_server(const httpd_config_t *config)
{
    httpd_server_t *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return NULL;
    }
    server->config = *config;
    server->handlers = calloc(config->max_uri_handlers, sizeof *server->handlers);
    if (server->handlers == NULL || pipe(server->wake_fds) != 0) {
        free(server->handlers);
        free(server);
        return NULL;
    }
    for (size_t i = 0; i < HTTPD_MAX_SESSIONS; i++) {
        server->sessions[i].fd = -1;
    }
    server->listen_fd = -1;
    server->next_listen_fd = -1;
    host_monitor_init(&server->monitor);
    return server;
}

static void free_server(httpd_server_t *server)
{
    for (size_t i = 0; i < server->handler_count; i++) {
        free((char *)server->handlers[i].uri);
    }
    free(server->handlers);
    close(server->wake_fds[0]);
    close(server->wake_fds[1]);
    host_monitor_destroy(&server->monitor);
    free(server);
}

/* ---- the listener, which the SoftAP opens and closes ---- */

static void open_listener(void *argument, int listen_fd)
{
    httpd_server_t *server = argument;
    host_monitor_lock(&server->monitor);
    if (server->next_listen_fd >= 0) {
        close(server->next_listen_fd);
    }
    server->next_listen_fd = listen_fd;
    host_monitor_unlock(&server->monitor);
    httpd_task_wake(server);
}

/* Whoever closes may be a handler, which cannot wait for itself: the task does the rest later. */
static void close_listener(void *argument)
{
    httpd_server_t *server = argument;
    host_monitor_lock(&server->monitor);
    if (server->next_listen_fd >= 0) {
        close(server->next_listen_fd);
        server->next_listen_fd = -1;
    }
    server->is_close_wanted = true;
    host_monitor_unlock(&server->monitor);
    httpd_task_wake(server);
}

static void forget_server(void)
{
    pthread_mutex_lock(&s_lock);
    s_server = NULL;
    pthread_mutex_unlock(&s_lock);
}

esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config)
{
    if (handle == NULL || config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (config->max_open_sockets == 0 || config->max_open_sockets > HTTPD_MAX_SESSIONS) {
        ESP_LOGE(TAG, "Config option max_open_sockets is too large (max allowed %d)",
                 HTTPD_MAX_SESSIONS);
        return ESP_ERR_INVALID_ARG;
    }
    pthread_mutex_lock(&s_lock);
    esp_err_t err = ESP_ERR_HTTPD_TASK; /* the port is taken */
    if (s_server == NULL) {
        s_server = new_server(config);
        err = s_server != NULL ? ESP_OK : ESP_ERR_HTTPD_ALLOC_MEM;
    }
    httpd_server_t *server = s_server;
    pthread_mutex_unlock(&s_lock);
    if (err == ESP_OK && xTaskCreate(httpd_task, "httpd", (uint32_t)config->stack_size, server,
                                     config->task_priority, NULL) != pdPASS) {
        forget_server();
        free_server(server);
        err = ESP_ERR_HTTPD_TASK;
    }
    if (err == ESP_OK) {
        host_softap_listener_t listener = {
            .open = open_listener, .close = close_listener, .server = server, .port = config->server_port};
        host_softap_attach(&listener);
        *handle = server;
    }
    return err;
}

esp_err_t httpd_stop(httpd_handle_t handle)
{
    httpd_server_t *server = handle;
    if (server == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    host_softap_attach(NULL);
    host_monitor_lock(&server->monitor);
    server->is_stop_wanted = true;
    host_monitor_unlock(&server->monitor);
    httpd_task_wake(server);
    host_monitor_lock(&server->monitor);
    while (!server->has_stopped) {
        host_monitor_wait(&server->monitor);
    }
    host_monitor_unlock(&server->monitor);
    forget_server();
    free_server(server);
    return ESP_OK;
}

esp_err_t httpd_queue_work(httpd_handle_t handle, httpd_work_fn_t work, void *arg)
{
    httpd_server_t *server = handle;
    if (server == NULL || work == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    host_monitor_lock(&server->monitor);
    bool has_room = server->work_count < HTTPD_MAX_WORK;
    if (has_room) {
        server->work[server->work_count].work = work;
        server->work[server->work_count].arg = arg;
        server->work_count++;
    }
    host_monitor_unlock(&server->monitor);
    httpd_task_wake(server);
    return has_room ? ESP_OK : ESP_FAIL;
}

/* ---- sessions, for open_fn; in the server's task ---- */

static httpd_session_t *find_session(httpd_server_t *server, int sockfd)
{
    for (size_t i = 0; server != NULL && i < HTTPD_MAX_SESSIONS; i++) {
        if (server->sessions[i].fd == sockfd && sockfd >= 0) {
            return &server->sessions[i];
        }
    }
    return NULL;
}

esp_err_t httpd_sess_set_recv_override(httpd_handle_t hd, int sockfd, httpd_recv_func_t recv_func)
{
    httpd_session_t *session = find_session(hd, sockfd);
    if (session == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    session->recv_fn = recv_func;
    return ESP_OK;
}

esp_err_t httpd_sess_set_send_override(httpd_handle_t hd, int sockfd, httpd_send_func_t send_func)
{
    httpd_session_t *session = find_session(hd, sockfd);
    if (session == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    session->send_fn = send_func;
    return ESP_OK;
}
