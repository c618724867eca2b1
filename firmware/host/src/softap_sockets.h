/*
 * The sockets on which the HTTP server listens. On the loopback interface one is at the SoftAP's address and one, while
 * the server is bound to no interface, at the station's; the port is the same. Otherwise there is one for all addresses,
 * as on the chip. The server sees an epoll descriptor that is readable when somebody waits at any of them.
 * Not for two threads at once: host_softap.c's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * Claims the SoftAP's port; whoever connects is refused until it listens. On the loopback interface that is the port of
 * the last time, or else any that is free, since clients may know it.
 * @param interface that the socket is bound to, as the one before was; empty: none
 */
bool softap_sockets_claim(int port, const char *interface);
/** Also at the station's address, from now on. */
bool softap_sockets_admit_home(uint32_t station);
void softap_sockets_refuse_home(void);
/** What was claimed listens. @return a descriptor for the server to wait on, which it closes; -1: no */
int softap_sockets_listen(void);
/** The next who waits; -1: nobody. */
int softap_sockets_accept(int listener);
/** Nobody reaches what listens at the SoftAP's address on the loopback interface, until it is bound anew. */
void softap_sockets_refuse_softap(void);
void softap_sockets_close(void);
/** Of what was claimed last; 0: nothing yet. */
int softap_sockets_port(void);
