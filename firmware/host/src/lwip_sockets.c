/* Where the board's sockets differ from this machine's. */
#include "lwip/sockets.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "host_loopback.h"
#include "host_softap.h"

#undef bind
#undef setsockopt
#undef getsockname

#define FIRST_UNPRIVILEGED_PORT 1024

int lwip_bind(int s, const struct sockaddr *name, socklen_t namelen)
{
    struct sockaddr_in address;
    if (name == NULL || namelen < sizeof address || name->sa_family != AF_INET) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&address, name, sizeof address);
    if (host_loopback_is_used()) {
        if (address.sin_addr.s_addr != host_loopback_station()) {
            address.sin_addr.s_addr = host_loopback_softap();
        }
        if (ntohs(address.sin_port) < FIRST_UNPRIVILEGED_PORT) {
            address.sin_port = 0;
        }
    }
    return bind(s, (const struct sockaddr *)&address, sizeof address);
}

/* The kernel lets nobody but root bind a socket again that is bound already, be it to the same interface. */
static bool is_bound_to(int s, const char *interface)
{
    char bound[IFNAMSIZ] = "";
    socklen_t size = sizeof bound;
    return getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, bound, &size) == 0 && strcmp(bound, interface) == 0;
}

static bool bind_on_loopback(int s, const char *interface)
{
    const char *softap = host_softap_interface();
    if (softap == NULL || strcmp(interface, softap) != 0) {
        errno = ENODEV;
        return false;
    }
    host_loopback_keep_home_out(s);
    return true;
}

static bool bind_in_kernel(int s, const char *interface)
{
    socklen_t length = (socklen_t)strnlen(interface, IFNAMSIZ);
    return is_bound_to(s, interface) || setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, interface, length) == 0;
}

static int bind_to_device(int s, const struct ifreq *request, socklen_t size)
{
    if (size != sizeof *request) {
        errno = EINVAL;
        return -1;
    }
    const char *interface = request->ifr_name;
    if (!(host_loopback_is_used() ? bind_on_loopback(s, interface) : bind_in_kernel(s, interface))) {
        return -1;
    }
    int is_listening = 0;
    socklen_t length = sizeof is_listening;
    if (getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) == 0 && is_listening != 0) {
        host_softap_note_bound(interface);
    }
    return 0;
}

int lwip_setsockopt(int s, int level, int name, const void *value, socklen_t size)
{
    return level == SOL_SOCKET && name == SO_BINDTODEVICE ? bind_to_device(s, value, size)
                                                          : setsockopt(s, level, name, value, size);
}

int lwip_getsockname(int s, struct sockaddr *name, socklen_t *namelen)
{
    int result = getsockname(s, name, namelen);
    if (result == 0 && name->sa_family == AF_INET && *namelen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in *address = (struct sockaddr_in *)name;
        address->sin_port = htons((uint16_t)host_softap_asked_port(ntohs(address->sin_port)));
    }
    return result;
}
