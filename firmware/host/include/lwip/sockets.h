/* lwIP's sockets are POSIX sockets. What the board binds is on this machine's 127.0.0.1 only. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/**
 * Binds to 127.0.0.1 whatever address was asked for. Ports below 1024 become one of the kernel's choice,
 * as that of the HTTP server does: boards run side by side and without privileges. getsockname() tells it.
 */
int lwip_bind(int s, const struct sockaddr *name, socklen_t namelen);

#define bind(s, name, namelen) lwip_bind(s, name, namelen)
