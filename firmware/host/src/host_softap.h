/*
 * The SoftAP as others see it: an announcement in aps/<mac>.json and, behind it, the port where the board's HTTP
 * server listens. Without PROV_HOST_AP_INTERFACE the loopback interface is the SoftAP's, the port is one of the
 * kernel's choice, and both exist exactly while the AP is up. With it the server listens as on the chip: on every
 * address, from its start to its stop, on the port that it asked for.
 */
#pragma once

#include <stdbool.h>

/** What the WiFi driver wants on the air. */
typedef struct {
    bool is_up;
    char ssid[33];
    char password[65]; /* empty: open */
    int channel;
} host_softap_state_t;

/** The HTTP server. `open` gets a listening socket of its own, `close` ends all of it. */
typedef struct {
    void (*open)(void *server, int listen_fd);
    void (*close)(void *server);
    void *server;
    int port; /* that it asks for */
} host_softap_listener_t;

/** Bring the announcement and the port in line with `wanted`. */
void host_softap_update(const host_softap_state_t *wanted);
/** Attach the HTTP server, or detach it with NULL. Opens or closes it as the AP is up or not. */
void host_softap_attach(const host_softap_listener_t *listener);
/** Remove the announcement for good: the process is about to end. */
void host_softap_withdraw(void);
/** The name of the SoftAP's network interface; NULL while the AP is down. */
const char *host_softap_interface(void);
/** The port that the server asked for, when `port` is the one that it has got; else `port`. */
int host_softap_asked_port(int port);
/** The listening socket is bound to `interface` now. */
void host_softap_note_bound(const char *interface);
/** The server's task has no work queued any more: what was to come after the bind is done. */
void host_softap_note_idle(void);
/**
 * Whether a connection can reach the listener as it is bound now. Linux completes a handshake that began on another
 * interface before the bind. To the SoftAP's address the chip never does: its answer leaves by the SoftAP (ESP-IDF's
 * ip4_route_src_hook).
 */
bool host_softap_reaches(int fd);
/** Whether a file of aps/ is this board's. */
bool host_softap_is_own_file(const char *name);
