#include "softap_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host_loopback.h"

/* Beyond its backlog lwIP leaves a SYN unanswered, Linux also the ACK after it, and resets what has waited for long. */
#define BACKLOG SOMAXCONN

static int s_softap = -1;
static int s_home = -1;
static int s_epoll = -1;
static int s_port;

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static bool is_bound_to(int fd, const char *interface)
{
    return interface[0] == '\0' || host_loopback_is_used() ||
           setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) == 0;
}

/* @return the descriptor, with its port in s_port; -1 */
static int bind_at(uint32_t address, int port, const char *interface)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = address};
    socklen_t length = sizeof name;
    int on = 1; /* clients of the last AP may still be in TIME_WAIT */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && is_bound_to(fd, interface) &&
        bind(fd, (struct sockaddr *)&name, sizeof name) == 0 &&
        getsockname(fd, (struct sockaddr *)&name, &length) == 0) {
        s_port = ntohs(name.sin_port);
        return fd;
    }
    close_fd(&fd);
    return -1;
}

/* A port of the kernel's choice is for the first of the two; the second has to have the same. */
static int bind_on_loopback(uint32_t address)
{
    int fd = bind_at(address, s_port, "");
    bool is_first = s_softap < 0 && s_home < 0;
    return fd < 0 && is_first ? bind_at(address, 0, "") : fd;
}

bool softap_sockets_claim(int port, const char *interface)
{
    if (host_loopback_is_used()) {
        s_softap = bind_on_loopback(host_loopback_softap());
        host_loopback_keep_home_out(s_softap);
    } else {
        s_softap = bind_at(INADDR_ANY, port, interface);
    }
    return s_softap >= 0;
}

static bool watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (s_epoll < 0) {
        s_epoll = epoll_create1(EPOLL_CLOEXEC);
    }
    return epoll_ctl(s_epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool softap_sockets_admit_home(uint32_t station)
{
    if (s_home < 0) {
        s_home = bind_on_loopback(station);
        if (s_home < 0 || listen(s_home, BACKLOG) != 0 || !watch(s_home)) {
            close_fd(&s_home);
        }
    }
    return s_home >= 0;
}

void softap_sockets_refuse_home(void)
{
    close_fd(&s_home);
}

void softap_sockets_refuse_softap(void)
{
    host_loopback_keep_all_out(s_softap);
}

int softap_sockets_listen(void)
{
    if (s_softap >= 0 && (listen(s_softap, BACKLOG) != 0 || !watch(s_softap))) {
        return -1;
    }
    return fcntl(s_epoll, F_DUPFD_CLOEXEC, 3);
}

int softap_sockets_accept(int listener)
{
    struct epoll_event ready;
    return epoll_wait(listener, &ready, 1, 0) == 1 ? accept4(ready.data.fd, NULL, NULL, SOCK_CLOEXEC) : -1;
}

void softap_sockets_close(void)
{
    close_fd(&s_softap);
    close_fd(&s_home);
    close_fd(&s_epoll);
}

int softap_sockets_port(void)
{
    return s_port;
}
