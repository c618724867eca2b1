#include "host_connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "mbedtls/ssl.h"

bool host_connection_open(host_connection_t *connection, const host_endpoint_t *endpoint)
{
    memset(connection, 0, sizeof *connection);
    connection->error.last_error = host_socket_connect(&connection->socket, endpoint->host, endpoint->port,
                                                       endpoint->timeout_ms, &connection->sock_errno);
    if (connection->error.last_error != ESP_OK || !endpoint->is_tls) {
        return connection->error.last_error == ESP_OK;
    }
    connection->tls = host_tls_open(endpoint, &connection->socket, &connection->error);
    if (connection->tls == NULL) {
        host_socket_close(&connection->socket);
    }
    return connection->tls != NULL;
}

static int fail(host_connection_t *connection, int sock_errno)
{
    connection->sock_errno = sock_errno;
    return HOST_CONNECTION_FAILED;
}

int host_connection_poll_read(host_connection_t *connection, int timeout_ms)
{
    if (connection->socket.fd < 0) {
        return HOST_CONNECTION_FAILED;
    }
    if (connection->tls != NULL && host_tls_has_bytes(connection->tls)) {
        return 1;
    }
    /* To lwIP's select() a connection that was aborted is readable, and whoever reads it hears why. */
    return host_socket_wait(&connection->socket, POLLIN, timeout_ms) != 0;
}

/* The result of a read or write, whose bytes are fewer than one. */
static int explain(host_connection_t *connection, ssize_t result)
{
    int sock_errno = errno;
    if (result == 0) {
        connection->error.last_error = ESP_ERR_ESP_TLS_TCP_CLOSED_FIN;
        return HOST_CONNECTION_CLOSED;
    }
    if (connection->tls != NULL) {
        bool is_pending = result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE;
        return is_pending ? HOST_CONNECTION_TIMEOUT : HOST_CONNECTION_FAILED;
    }
    return sock_errno == EAGAIN ? HOST_CONNECTION_TIMEOUT : fail(connection, sock_errno);
}

int host_connection_read(host_connection_t *connection, void *buffer, size_t size, int timeout_ms)
{
    int ready = host_connection_poll_read(connection, timeout_ms);
    if (ready <= 0) {
        return ready;
    }
    ssize_t got = connection->tls != NULL ? host_tls_read(connection->tls, buffer, size, &connection->error)
                                          : host_socket_receive(&connection->socket, buffer, size);
    return got > 0 ? (int)got : explain(connection, got);
}

int host_connection_write(host_connection_t *connection, const void *data, size_t size, int timeout_ms)
{
    if (connection->socket.fd < 0) {
        return HOST_CONNECTION_FAILED;
    }
    int ready = host_socket_wait(&connection->socket, POLLOUT, timeout_ms);
    if (ready <= 0) {
        return ready < 0 ? fail(connection, errno) : HOST_CONNECTION_TIMEOUT;
    }
    ssize_t sent = connection->tls != NULL ? host_tls_write(connection->tls, data, size, &connection->error)
                                           : host_socket_send(&connection->socket, data, size);
    return sent > 0 ? (int)sent : explain(connection, sent);
}

void host_connection_close(host_connection_t *connection)
{
    host_tls_free(connection->tls);
    connection->tls = NULL;
    host_socket_close(&connection->socket);
}
