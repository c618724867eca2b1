#include "host_net_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host_monitor.h"

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        return (ntohl(v4->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* Wait for a connection in progress; 0 or an errno. */
static int await_connection(int fd, int64_t deadline_us)
{
    for (;;) {
        int64_t left_us = deadline_us - host_uptime_us();
        if (left_us <= 0) {
            return ETIMEDOUT;
        }
        struct pollfd waited = {.fd = fd, .events = POLLOUT};
        if (poll(&waited, 1, (int)(left_us / 1000) + 1) > 0) {
            int error = 0;
            socklen_t size = sizeof error;
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
            return error;
        }
    }
}

static int try_address(const struct addrinfo *address, int64_t deadline_us)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int error = 0;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno == EINPROGRESS ? await_connection(fd, deadline_us) : errno;
    }
    close(fd);
    return error;
}

int host_net_probe(const char *host, int port, int timeout_ms)
{
    int64_t deadline_us = host_uptime_us() + (int64_t)timeout_ms * 1000;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(host, service, &hints, &addresses) != 0) {
        return 0; /* libmosquitto says so itself, and as what it is */
    }
    int error = 0;
    for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
        if (is_loopback(address->ai_addr)) {
            error = 0;
            break;
        }
        error = try_address(address, deadline_us);
        if (error == 0) {
            break;
        }
    }
    freeaddrinfo(addresses);
    return error;
}
