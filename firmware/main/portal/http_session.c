#include "http_session.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "device_clock.h"
#include "esp_netif.h"
#include "lwip/sockets.h"
#include "secret_wipe.h"

/* One deadline for header and body: a phone at the edge of the AP needs a fraction of it for HTTP_BODY_MAX. */
#define REQUEST_DEADLINE_MS 4000
#define ANSWER_DEADLINE_MS 4000
/* Silence that ends a header; a body has the whole of its deadline. */
#define STALL_MS 2000
#define LINGER_MS 1000
/* Each lets in one connection, or closes one to make room for it; as many wait at most as backlog_conn says, 5. */
#define ADMIT_ROUNDS 12

typedef struct {
    int fd; /* -1: none */
    int64_t receive_until_ms;
    int64_t send_until_ms; /* 0: no byte of the answer is out */
} request_clock_t;

static request_clock_t s_request = {.fd = -1};
static atomic_bool s_admits;
static unsigned s_rounds; /* of the server, before it admits anybody */

/* ---- sockets ---- */

static void set_timeout(int fd, int option, int64_t wait_ms)
{
    struct timeval timeout = {.tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};
    (void)setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof timeout);
}

static int error_of_errno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? HTTPD_SOCK_ERR_TIMEOUT : HTTPD_SOCK_ERR_FAIL;
}

static uint32_t local_address(int fd)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    uint32_t address = 0;
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        return 0;
    }
    if (name.ss_family == AF_INET) {
        address = ((const struct sockaddr_in *)&name)->sin_addr.s_addr;
    }
#if LWIP_IPV6
    /* The server's socket takes both: IPv4 shows as ::ffff:a.b.c.d. */
    static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
    if (name.ss_family == AF_INET6) {
        const uint8_t *bytes = ((const struct sockaddr_in6 *)&name)->sin6_addr.s6_addr;
        memcpy(&address, bytes + sizeof MAPPED, memcmp(bytes, MAPPED, sizeof MAPPED) == 0 ? sizeof address : 0);
    }
#endif
    return address;
}

/* ---- receiving and sending, for the server ---- */

/** Ends the connection at its first byte, unread. An open_fn that refuses closes it twice in ESP-IDF 5.3. */
static int refuse(httpd_handle_t server, int fd, char *buffer, size_t size, int flags)
{
    (void)server;
    (void)fd;
    (void)buffer;
    (void)size;
    (void)flags;
    return HTTPD_SOCK_ERR_FAIL;
}

static int receive_in_time(httpd_handle_t server, int fd, char *buffer, size_t size, int flags)
{
    (void)server;
    int64_t now_ms = device_clock_uptime_ms();
    if (s_request.fd != fd) {
        s_request = (request_clock_t){.fd = fd, .receive_until_ms = now_ms + REQUEST_DEADLINE_MS};
    }
    int64_t left_ms = s_request.receive_until_ms - now_ms;
    if (left_ms <= 0) {
        return HTTPD_SOCK_ERR_TIMEOUT;
    }
    set_timeout(fd, SO_RCVTIMEO, left_ms < STALL_MS ? left_ms : STALL_MS);
    int got = (int)recv(fd, buffer, size, flags);
    return got < 0 ? error_of_errno() : got;
}

static int send_in_time(httpd_handle_t server, int fd, const char *buffer, size_t size, int flags)
{
    (void)server;
    int64_t now_ms = device_clock_uptime_ms();
    if (s_request.send_until_ms == 0) {
        s_request.send_until_ms = now_ms + ANSWER_DEADLINE_MS;
    }
    int64_t left_ms = s_request.send_until_ms - now_ms;
    if (left_ms <= 0) {
        return HTTPD_SOCK_ERR_FAIL; /* a client that reads byte by byte */
    }
    set_timeout(fd, SO_SNDTIMEO, left_ms);
    int sent = (int)send(fd, buffer, size, flags);
    return sent < 0 ? HTTPD_SOCK_ERR_FAIL : sent;
}

/* ---- connections ---- */

/**
 * Of those that came in before the server was bound, none is served that the station's address was asked for, even if
 * it is let in only now. To the SoftAP's own address none gets that far on another interface: what the board answers
 * from that address leaves by the SoftAP (ESP-IDF's ip4_route_src_hook).
 */
static bool is_welcome(int fd)
{
    esp_netif_ip_info_t station = {0};
    esp_netif_t *netif = esp_netif_get_handle_from_ifkey("WIFI_STA_DEF");
    bool has_address = netif != NULL && esp_netif_get_ip_info(netif, &station) == ESP_OK && station.ip.addr != 0;
    return atomic_load(&s_admits) && !(has_address && local_address(fd) == station.ip.addr);
}

esp_err_t http_session_open(httpd_handle_t server, int fd)
{
    if (s_request.fd == fd) {
        http_session_end_request(); /* the descriptor of a connection that ended in the middle of it */
    }
    bool welcome = is_welcome(fd);
    (void)httpd_sess_set_recv_override(server, fd, welcome ? receive_in_time : refuse);
    (void)httpd_sess_set_send_override(server, fd, send_in_time);
    return ESP_OK;
}

void http_session_refuse_all(void)
{
    atomic_store(&s_admits, false);
}

/** In the server's task, once a round: between any two of them it lets in whoever waits longest. */
static void pass_round(void *server)
{
    s_rounds++;
    if (s_rounds < ADMIT_ROUNDS && httpd_queue_work(server, pass_round, server) == ESP_OK) {
        return;
    }
    atomic_store(&s_admits, true);
}

esp_err_t http_session_admit(httpd_handle_t server)
{
    s_rounds = 0;
    return httpd_queue_work(server, pass_round, server);
}

/* ---- the request in progress ---- */

bool http_session_has_time(void)
{
    return device_clock_uptime_ms() < s_request.receive_until_ms;
}

bool http_session_is_awaited(httpd_req_t *req)
{
    char next;
    int got = (int)recv(httpd_req_to_sockfd(req), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && error_of_errno() == HTTPD_SOCK_ERR_TIMEOUT);
}

uint32_t http_session_address(httpd_req_t *req)
{
    return local_address(httpd_req_to_sockfd(req));
}

void http_session_linger(httpd_req_t *req)
{
    /* A connection closed over unread bytes is reset, and a reset takes the answer away from the client. */
    int fd = httpd_req_to_sockfd(req);
    int64_t deadline_ms = device_clock_uptime_ms() + LINGER_MS;
    char scrap[256];
    int got = 1;
    shutdown(fd, SHUT_WR);
    for (int64_t left_ms = LINGER_MS; got > 0 && left_ms > 0; left_ms = deadline_ms - device_clock_uptime_ms()) {
        set_timeout(fd, SO_RCVTIMEO, left_ms);
        got = (int)recv(fd, scrap, sizeof scrap, 0);
    }
    secret_wipe(scrap, sizeof scrap);
}

void http_session_end_request(void)
{
    s_request = (request_clock_t){.fd = -1};
}
