/*
 * The SoftAP as others see it: an announcement in aps/<mac>.json and, behind it, the port on
 * 127.0.0.1 where the board's HTTP server listens. Both exist exactly while the AP is up.
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
} host_softap_listener_t;

/** Bring the announcement and the port in line with `wanted`. */
void host_softap_update(const host_softap_state_t *wanted);
/** Attach the HTTP server, or detach it with NULL. Opens or closes it as the AP is up or not. */
void host_softap_attach(const host_softap_listener_t *listener);
/** Remove the announcement for good: the process is about to end. */
void host_softap_withdraw(void);
/** Whether a file of aps/ is this board's. */
bool host_softap_is_own_file(const char *name);
