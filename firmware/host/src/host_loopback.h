/*
 * Without PROV_HOST_AP_INTERFACE the board's two networks are ranges of 127/8, which needs no rights and lets boards
 * run side by side: its SoftAP is at 127.4.x.y, its station on the home network at 127.1.x.y; x.y is the end of the
 * MAC address of each. Whoever sends from 127.1/16 is on the home network.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool host_loopback_is_used(void);
/** In network byte order. */
uint32_t host_loopback_softap(void);
uint32_t host_loopback_station(void);
/** Lets nothing from the home network come to a socket, as if it had been sent by another interface. */
void host_loopback_keep_home_out(int fd);
/** Lets nothing come to a socket, as if it were bound to an interface that is gone; until the call above. */
void host_loopback_keep_all_out(int fd);
