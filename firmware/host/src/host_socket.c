#include "host_socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "esp_tls_errors.h"
#include "host_link.h"
#include "host_monitor.h"
#include "host_resolver.h"

#define LOOK_MS 50 /* between two looks at the link */

static const char *TAG = "esp-tls";

int host_socket_wait(const host_socket_t *sock, short events, int timeout_ms)
{
    int64_t deadline_us = host_uptime_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        if (host_link_get().generation != sock->link_generation) {
            errno = ECONNABORTED;
            return -1;
        }
        int64_t left_ms = (deadline_us - host_uptime_us() + 999) / 1000;
        int slice_ms = left_ms <= 0 ? 0 : left_ms < LOOK_MS ? (int)left_ms : LOOK_MS;
        struct pollfd waited = {.fd = sock->fd, .events = events};
        int ready = poll(&waited, 1, slice_ms);
        if (ready > 0 || (ready < 0 && errno != EINTR)) {
            return ready;
        }
        if (slice_ms == 0) {
            return 0;
        }
    }
}

/* lwIP's errno of what the kernel says. */
static int lwip_errno(int error)
{
    return error == ECONNREFUSED ? ECONNRESET : error;
}

/* What a chip never hears of: to it, nobody answers. */
static bool is_unheard(int error)
{
    return error == EHOSTUNREACH || error == ENETUNREACH || error == ETIMEDOUT;
}

static esp_err_t await_connection(const host_socket_t *sock, int timeout_ms, int *sock_errno)
{
    int ready = host_socket_wait(sock, POLLOUT, timeout_ms);
    int error = ready < 0 ? errno : 0;
    if (ready > 0) {
        socklen_t size = sizeof error;
        getsockopt(sock->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (ready == 0 || is_unheard(error)) {
        ESP_LOGE(TAG, "[sock=%d] select() timeout", sock->fd);
        return ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT;
    }
    *sock_errno = lwip_errno(error);
    if (error != 0) {
        ESP_LOGE(TAG, "[sock=%d] delayed connect error: %s", sock->fd, strerror(*sock_errno));
    }
    return error == 0 ? ESP_OK : ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
}

static esp_err_t connect_to(host_socket_t *sock, const struct sockaddr_storage *address, int timeout_ms,
                            int *sock_errno)
{
    sock->fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sock->fd < 0) {
        *sock_errno = errno;
        return ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET;
    }
    host_link_bind(sock->fd);
    if (connect(sock->fd, (const struct sockaddr *)address, sizeof *address) == 0) {
        return ESP_OK;
    }
    if (errno == EINPROGRESS) {
        return await_connection(sock, timeout_ms, sock_errno);
    }
    bool is_timeout = is_unheard(errno);
    *sock_errno = is_timeout ? 0 : lwip_errno(errno);
    ESP_LOGE(TAG, "[sock=%d] connect() error: %s", sock->fd, strerror(errno));
    return is_timeout ? ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT : ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
}

esp_err_t host_socket_connect(host_socket_t *sock, const char *host, int port, int timeout_ms, int *sock_errno)
{
    host_link_t link = host_link_get();
    *sock = (host_socket_t){.fd = -1, .link_generation = link.generation, .timeout_ms = timeout_ms};
    *sock_errno = 0;
    struct sockaddr_storage address;
    if ((!host_is_ip_address(host) && !link.does_resolve) || !host_resolve(host, port, timeout_ms, &address)) {
        ESP_LOGE(TAG, "couldn't get hostname for :%s:", host);
        return ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME;
    }
    /* The station has no IPv6 address: nobody asks for one. */
    if (!link.is_up || address.ss_family == AF_INET6) {
        *sock_errno = EHOSTUNREACH;
        return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    }
    esp_err_t err = connect_to(sock, &address, timeout_ms, sock_errno);
    if (err != ESP_OK) {
        host_socket_close(sock);
    }
    return err;
}

static bool is_ready(const host_socket_t *sock, short events)
{
    int ready = host_socket_wait(sock, events, sock->timeout_ms);
    if (ready == 0) {
        errno = EAGAIN;
    }
    return ready > 0;
}

ssize_t host_socket_receive(const host_socket_t *sock, void *buffer, size_t size)
{
    return is_ready(sock, POLLIN) ? recv(sock->fd, buffer, size, 0) : -1;
}

ssize_t host_socket_send(const host_socket_t *sock, const void *data, size_t size)
{
    return is_ready(sock, POLLOUT) ? send(sock->fd, data, size, MSG_NOSIGNAL) : -1;
}

void host_socket_close(host_socket_t *sock)
{
    if (sock->fd >= 0) {
        shutdown(sock->fd, SHUT_RDWR);
        close(sock->fd);
        sock->fd = -1;
    }
}
