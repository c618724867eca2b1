#include "http_connection.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "host_link.h"
#include "mbedtls/ssl.h"

static const char *TAG = "esp-tls";

static pthread_once_t s_curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void fail(http_connection_t *connection, esp_err_t error)
{
    connection->error.last_error = error;
}

/* What the board cannot reach, whatever the host could. */
static bool is_reachable(http_connection_t *connection, const char *host)
{
    host_link_t link = host_link_get();
    bool is_address = host_is_ip_address(host);
    if (!is_address && !link.does_resolve) {
        ESP_LOGE(TAG, "couldn't get hostname for :%s:", host);
        fail(connection, ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME);
        return false;
    }
    if (!link.is_up) {
        fail(connection, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
        return false;
    }
    return true;
}

static CURLcode prepare_tls(CURL *curl, void *ctx, void *argument)
{
    (void)curl;
    http_connection_t *connection = argument;
    connection->setup_error =
        host_tls_prepare(ctx, &connection->endpoint->tls, &connection->trace);
    return connection->setup_error == ESP_OK ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

static void set_options(http_connection_t *connection)
{
    const http_endpoint_t *endpoint = connection->endpoint;
    CURL *curl = connection->curl;
    bool is_ipv6 = strchr(endpoint->host, ':') != NULL;
    char url[512];
    snprintf(url, sizeof url, "%s://%s%s%s:%d/", endpoint->is_tls ? "https" : "http",
             is_ipv6 ? "[" : "", endpoint->host, is_ipv6 ? "]" : "", endpoint->port);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* the chip knows no proxy variables */
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)endpoint->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    /* host_tls_prepare decides about trust and the name; the system store must not leak in. */
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, prepare_tls);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, connection);
}

static void describe_failure(http_connection_t *connection, CURLcode code)
{
    if (connection->setup_error != ESP_OK) {
        fail(connection, connection->setup_error);
        return;
    }
    if (host_tls_describe(&connection->trace, &connection->error)) {
        return;
    }
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        fail(connection, ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME);
        break;
    case CURLE_COULDNT_CONNECT:
        fail(connection, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        fail(connection, ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT);
        break;
    default:
        if (!host_tls_describe_hang_up(&connection->trace, &connection->error)) {
            fail(connection, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
        }
        break;
    }
}

bool http_connection_open(http_connection_t *connection, const http_endpoint_t *endpoint)
{
    pthread_once(&s_curl_once, init_curl);
    memset(connection, 0, sizeof *connection);
    if (!is_reachable(connection, endpoint->host)) {
        return false;
    }
    connection->curl = curl_easy_init();
    if (connection->curl == NULL) {
        fail(connection, ESP_ERR_NO_MEM);
        return false;
    }
    connection->endpoint = endpoint;
    set_options(connection);
    CURLcode code = curl_easy_perform(connection->curl);
    connection->endpoint = NULL;
    if (code == CURLE_OK) {
        return true;
    }
    ESP_LOGE(TAG, "Failed to open a new connection: %s", curl_easy_strerror(code));
    describe_failure(connection, code);
    http_connection_close(connection);
    return false;
}

/* Wait until the socket is ready; 1, 0 on a timeout, -1 on an error. */
static int wait_for(const http_connection_t *connection, short events, int timeout_ms)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    curl_easy_getinfo(connection->curl, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD) {
        return -1;
    }
    struct pollfd waited = {.fd = fd, .events = events};
    int ready;
    do {
        ready = poll(&waited, 1, timeout_ms);
    } while (ready < 0 && errno == EINTR);
    return ready;
}

int http_connection_read(http_connection_t *connection, char *buffer, size_t size, int timeout_ms)
{
    if (connection->curl == NULL) {
        return HTTP_CONNECTION_FAILED;
    }
    for (;;) {
        size_t got = 0;
        CURLcode code = curl_easy_recv(connection->curl, buffer, size, &got);
        if (code == CURLE_OK && got > 0) {
            return (int)got;
        }
        if (code == CURLE_OK) {
            fail(connection, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN);
            return HTTP_CONNECTION_CLOSED;
        }
        if (code != CURLE_AGAIN) {
            if (!host_tls_describe(&connection->trace, &connection->error)) {
                fail(connection, ESP_ERR_MBEDTLS_SSL_READ_FAILED);
            }
            return HTTP_CONNECTION_FAILED;
        }
        int ready = wait_for(connection, POLLIN, timeout_ms);
        if (ready <= 0) {
            return ready == 0 ? HTTP_CONNECTION_TIMEOUT : HTTP_CONNECTION_FAILED;
        }
    }
}

int http_connection_write(http_connection_t *connection, const char *data, size_t size,
                          int timeout_ms)
{
    if (connection->curl == NULL) {
        return HTTP_CONNECTION_FAILED;
    }
    for (;;) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(connection->curl, data, size, &sent);
        if (code == CURLE_OK) {
            return (int)sent;
        }
        if (code != CURLE_AGAIN) {
            fail(connection, ESP_ERR_MBEDTLS_SSL_WRITE_FAILED);
            return HTTP_CONNECTION_FAILED;
        }
        int ready = wait_for(connection, POLLOUT, timeout_ms);
        if (ready <= 0) {
            return ready == 0 ? HTTP_CONNECTION_TIMEOUT : HTTP_CONNECTION_FAILED;
        }
    }
}

void http_connection_close(http_connection_t *connection)
{
    if (connection->curl != NULL) {
        curl_easy_cleanup(connection->curl);
        connection->curl = NULL;
    }
}
