/*
 * The SoftAP: an announcement in aps/<mac>.json and, behind it, the port where the board's HTTP server listens. Without
 * PROV_HOST_AP_INTERFACE it is an address of the loopback interface (host_loopback.h), the port is one of the kernel's
 * choice, and both exist exactly while the AP is up. With it the server listens as on the chip: on every address, from
 * its start to its stop, on the port that it asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** What the WiFi driver wants on the air. */
typedef struct {
    bool has_interface; /* the AP is started */
    bool is_up;         /* and can be heard */
    char ssid[33];
    char password[65]; /* empty: open */
    int channel;
} host_softap_state_t;

/** The HTTP server. `open` gets a descriptor that is readable when somebody waits; `close` ends all of it. */
typedef struct {
    void (*open)(void *server, int listener);
    void (*close)(void *server);
    void *server;
    int port; /* that it asks for */
} host_softap_listener_t;

/** Bring the announcement and the port in line with `wanted`. */
void host_softap_update(const host_softap_state_t *wanted);
/** Attach the HTTP server, or detach it with NULL. Opens or closes it as the AP is up or not. */
void host_softap_attach(const host_softap_listener_t *listener);
/** The next connection of those that wait at `listener`; -1: none, or one that must not be let in. */
int host_softap_accept(int listener);
/** Remove the announcement for good: the process is about to end. */
void host_softap_withdraw(void);
/** The name of the SoftAP's network interface; NULL while the AP is down. */
const char *host_softap_interface(void);
/** The port that the server asked for, when `port` is the one that it has got; else `port`. */
int host_softap_asked_port(int port);
/** The listening socket is bound to `interface` now. */
void host_softap_note_bound(const char *interface);
/** The station has this address on the loopback interface, in network byte order; 0: none there. */
void host_softap_note_station(uint32_t address);
/** The server's task has no work queued any more: what was to come after the bind is done. */
void host_softap_note_idle(void);
