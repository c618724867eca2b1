/* Where the board's sockets differ from this machine's. */
#include "lwip/sockets.h"

#include <errno.h>
#include <string.h>

#undef bind

#define FIRST_UNPRIVILEGED_PORT 1024

int lwip_bind(int s, const struct sockaddr *name, socklen_t namelen)
{
    struct sockaddr_in address;
    if (name == NULL || namelen < sizeof address || name->sa_family != AF_INET) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&address, name, sizeof address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (ntohs(address.sin_port) < FIRST_UNPRIVILEGED_PORT) {
        address.sin_port = 0;
    }
    return bind(s, (const struct sockaddr *)&address, sizeof address);
}
