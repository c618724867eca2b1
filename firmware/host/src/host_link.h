/*
 * What the station's connection means for everything above it. Sockets on the host work whether
 * the board has an address or not, so each client asks here first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool is_up;          /* the station has an IP address */
    bool does_resolve;   /* its network has a working DNS */
    uint32_t source;     /* that address where it is one of this machine's, in network byte order; else 0 */
    uint32_t generation; /* changes whenever the link goes up or down */
} host_link_t;

host_link_t host_link_get(void);
void host_link_set_up(uint32_t source, bool does_resolve);
void host_link_set_down(void);

/** Has what an IPv4 socket sends come from the station's address, as far as there is a choice. */
void host_link_bind(int fd);

/** Whether `host` is a literal address, which needs no DNS. */
bool host_is_ip_address(const char *host);
