/*
 * lwIP's sockets are POSIX sockets. Without PROV_HOST_AP_INTERFACE, what the board binds is on this machine's loopback
 * interface only, at the addresses of host_loopback.h, and boards run side by side.
 */
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LWIP_IPV6 1
/* Descriptors of sockets go from here up to FD_SETSIZE. */
#define LWIP_SOCKET_OFFSET 0

/**
 * On the loopback interface, binds to the SoftAP's address there, whatever was asked for but the station's, and ports
 * below 1024 become one of the kernel's choice, as that of the HTTP server does. getsockname() tells it.
 */
int lwip_bind(int s, const struct sockaddr *name, socklen_t namelen);

/** As lwIP, takes a whole struct ifreq for SO_BINDTODEVICE, and the name of an interface that is up. */
int lwip_setsockopt(int s, int level, int name, const void *value, socklen_t size);

/** Of what reached the HTTP server, the port is the one that it asked for, not the kernel's choice. */
int lwip_getsockname(int s, struct sockaddr *name, socklen_t *namelen);

#define bind(s, name, namelen) lwip_bind(s, name, namelen)
#define setsockopt(s, level, name, value, size) lwip_setsockopt(s, level, name, value, size)
#define getsockname(s, name, namelen) lwip_getsockname(s, name, namelen)
