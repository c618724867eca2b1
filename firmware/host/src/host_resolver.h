/* Names to addresses. getaddrinfo takes more stack than a task has, and as much time as it likes. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/**
 * The one address that a chip would try: IPv4 where there is one, `port` filled in.
 * @return false when there is none, or none in time.
 */
bool host_resolve(const char *host, int port, int timeout_ms, struct sockaddr_storage *address);
