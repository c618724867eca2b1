#include "host_softap.h"

#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "host_env.h"
#include "host_loopback.h"
#include "host_stack.h"
#include "host_timer.h"
#include "softap_announcement.h"
#include "softap_sockets.h"

/* As lwIP names it. */
#define LOOPBACK_NAME "ap1"
/* A station takes longer than this to find an AP, to associate and to get an address. By then a server that is going
   to be bound to the AP's interface serves; where it says so itself, nobody has to wait. */
#define BEACON_DELAY_MS 500

static const char *TAG = "host_softap";

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static host_softap_state_t s_state;
static host_softap_listener_t s_listener;
static bool s_has_listener;
static bool s_is_open; /* the listener can be reached */
static uint32_t s_station;
static bool s_is_withdrawn;
static bool s_is_announced;
static char s_bound_to[IFNAMSIZ]; /* the interface that the listener is bound to; empty: to none */
static bool s_is_orphan;          /* it is gone since: lwIP gives the next one another number (netif_add) */

static host_timer_service_t s_timers;
static pthread_once_t s_timers_once = PTHREAD_ONCE_INIT;

static void start_timers(void)
{
    host_timer_service_start(&s_timers, "softap", HOST_OWN_STACK);
}

/* ---- the announcement ---- */

static void announce(void)
{
    s_is_announced = true;
    if (!s_is_withdrawn) {
        softap_announcement_write(&s_state, softap_sockets_port());
    }
}

static void remove_announcement(void)
{
    s_is_announced = false;
    softap_announcement_remove();
}

static void emit_beacon(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&s_lock);
    if (s_state.is_up && !s_is_announced) {
        announce();
    }
    pthread_mutex_unlock(&s_lock);
}

static void announce_in(unsigned delay_ms)
{
    static host_timer_t s_beacon = {.callback = emit_beacon};
    pthread_once(&s_timers_once, start_timers);
    host_timer_arm(&s_timers, &s_beacon, delay_ms * 1000, 0, true);
}

/* ---- the server ---- */

static bool is_bound(void)
{
    return s_bound_to[0] != '\0';
}

static void open_listener(void)
{
    int fd = softap_sockets_listen();
    if (fd < 0) {
        ESP_LOGE(TAG, "cannot listen on port %d", softap_sockets_port());
        abort();
    }
    s_listener.open(s_listener.server, fd);
    s_is_open = true;
}

/* The home network reaches a server that is bound to no interface. @return whether it does now */
static bool admit_home(void)
{
    bool is_reached = s_has_listener && s_station != 0 && !is_bound();
    if (is_reached && !softap_sockets_admit_home(s_station)) {
        ESP_LOGW(TAG, "the home network does not reach port %d", softap_sockets_port());
        is_reached = false;
    }
    return is_reached;
}

/* New sockets each time the AP or the server starts, so that nobody waits at one of before; the announcement follows. */
static void restart(void)
{
    if (s_is_open) {
        s_listener.close(s_listener.server);
        s_is_open = false;
    }
    softap_sockets_close();
    bool is_wanted = host_loopback_is_used() ? s_state.is_up : s_has_listener;
    if (is_wanted && !softap_sockets_claim(s_listener.port, s_bound_to)) {
        ESP_LOGE(TAG, "no port for the SoftAP");
        abort();
    }
    if (is_wanted && s_is_orphan) {
        softap_sockets_refuse_softap();
    }
    bool is_reached = admit_home();
    if (s_has_listener && (is_wanted || is_reached)) {
        open_listener();
    }
}

static bool is_same(const host_softap_state_t *a, const host_softap_state_t *b)
{
    return a->is_up == b->is_up && a->channel == b->channel && strcmp(a->ssid, b->ssid) == 0 &&
           strcmp(a->password, b->password) == 0;
}

void host_softap_update(const host_softap_state_t *wanted)
{
    pthread_mutex_lock(&s_lock);
    bool was_up = s_state.is_up;
    bool has_changed = !is_same(&s_state, wanted);
    bool has_lost_interface = s_state.has_interface && !wanted->has_interface;
    s_is_orphan = s_is_orphan || (has_lost_interface && is_bound() && host_loopback_is_used());
    s_state = *wanted;
    if (wanted->is_up != was_up && host_loopback_is_used()) {
        restart();
    }
    if (wanted->is_up && !was_up) {
        if (is_bound() && !s_is_orphan) {
            announce(); /* it was away for a moment */
        } else {
            announce_in(BEACON_DELAY_MS);
        }
    } else if (wanted->is_up && has_changed && s_is_announced) {
        announce();
    } else if (!wanted->is_up && was_up) {
        remove_announcement();
    }
    pthread_mutex_unlock(&s_lock);
}

void host_softap_attach(const host_softap_listener_t *listener)
{
    pthread_mutex_lock(&s_lock);
    if (s_is_open) {
        s_listener.close(s_listener.server);
        s_is_open = false;
    }
    s_bound_to[0] = '\0';
    s_is_orphan = false;
    s_has_listener = listener != NULL;
    if (listener != NULL) {
        s_listener = *listener;
    }
    restart();
    if (s_is_announced) {
        announce(); /* the port may be another one */
    }
    pthread_mutex_unlock(&s_lock);
}

/*
 * Linux completes a handshake that began on another interface before the bind. To the SoftAP's address the chip never
 * does: its answer leaves by the SoftAP (ESP-IDF's ip4_route_src_hook).
 */
static bool may_come_in(int fd)
{
    char bound[IFNAMSIZ] = "";
    socklen_t size = sizeof bound;
    return host_loopback_is_used() || !is_bound() ||
           (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bound, &size) == 0 && strcmp(bound, s_bound_to) == 0);
}

int host_softap_accept(int listener)
{
    pthread_mutex_lock(&s_lock);
    int fd = softap_sockets_accept(listener);
    if (fd >= 0 && !may_come_in(fd)) {
        close(fd);
        fd = -1;
    }
    pthread_mutex_unlock(&s_lock);
    return fd;
}

const char *host_softap_interface(void)
{
    pthread_mutex_lock(&s_lock);
    bool is_up = s_state.is_up;
    pthread_mutex_unlock(&s_lock);
    return !is_up ? NULL : host_loopback_is_used() ? LOOPBACK_NAME : host_env()->ap_interface;
}

int host_softap_asked_port(int port)
{
    pthread_mutex_lock(&s_lock);
    bool is_ours = s_has_listener && port == softap_sockets_port();
    int asked = is_ours ? s_listener.port : port;
    pthread_mutex_unlock(&s_lock);
    return asked;
}

void host_softap_note_bound(const char *interface)
{
    pthread_mutex_lock(&s_lock);
    snprintf(s_bound_to, sizeof s_bound_to, "%s", interface);
    s_is_orphan = false;
    softap_sockets_refuse_home();
    pthread_mutex_unlock(&s_lock);
}

void host_softap_note_station(uint32_t address)
{
    pthread_mutex_lock(&s_lock);
    s_station = address;
    if (address == 0) {
        softap_sockets_refuse_home();
    } else if (admit_home() && !s_is_open) {
        open_listener();
    }
    pthread_mutex_unlock(&s_lock);
}

void host_softap_note_idle(void)
{
    pthread_mutex_lock(&s_lock);
    if (s_state.is_up && !s_is_announced && is_bound() && !s_is_orphan) {
        announce();
    }
    pthread_mutex_unlock(&s_lock);
}

void host_softap_withdraw(void)
{
    pthread_mutex_lock(&s_lock);
    s_is_withdrawn = true;
    remove_announcement();
    pthread_mutex_unlock(&s_lock);
}
