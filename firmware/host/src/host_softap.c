#include "host_softap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cJSON.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "host_env.h"
#include "host_pmk.h"
#include "host_timer.h"

static const char *TAG = "host_softap";

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static host_softap_state_t s_state;
static host_softap_listener_t s_listener;
static bool s_has_listener;
static bool s_is_open;  /* the listener has a socket */
static int s_socket = -1; /* bound for as long as the announcement names its port */
static int s_port;
static bool s_is_withdrawn;
static bool s_is_announced;
static char s_bound_to[IFNAMSIZ]; /* the interface that the listener is bound to; empty: to none */

/* A station takes longer than this to find an AP, to associate and to get an address. By then a server that is going
   to be bound to the AP's interface serves; where it says so itself, nobody has to wait. */
#define BEACON_DELAY_MS 500

static host_timer_service_t s_timers;
static pthread_once_t s_timers_once = PTHREAD_ONCE_INIT;

static void start_timers(void)
{
    host_timer_service_start(&s_timers, "softap");
}

static bool has_own_interface(void)
{
    return host_env()->ap_interface != NULL;
}

static void own_file_name(char *name, size_t size)
{
    uint8_t mac[6];
    esp_read_mac(mac, ESP_MAC_WIFI_SOFTAP);
    snprintf(name, size, "%02x%02x%02x%02x%02x%02x.json", MAC2STR(mac));
}

bool host_softap_is_own_file(const char *name)
{
    char own[32];
    own_file_name(own, sizeof own);
    return strcmp(name, own) == 0;
}

static void own_path(char *path, size_t size)
{
    char name[32];
    own_file_name(name, sizeof name);
    snprintf(path, size, "%s/aps/%s", host_env()->air_dir, name);
}

static char *format_announcement(void)
{
    uint8_t mac[6];
    esp_read_mac(mac, ESP_MAC_WIFI_SOFTAP);
    char bssid[18];
    snprintf(bssid, sizeof bssid, MACSTR, MAC2STR(mac));
    char base_url[48];
    if (has_own_interface()) {
        snprintf(base_url, sizeof base_url, "http://192.168.4.1:%d", s_port);
    } else {
        snprintf(base_url, sizeof base_url, "http://127.0.0.1:%d", s_port);
    }
    uint8_t pmk[HOST_PMK_LEN];
    char pmk_hex[2 * HOST_PMK_LEN + 1];
    bool is_secure = host_pmk_derive(s_state.password, s_state.ssid, pmk);

    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "ssid", s_state.ssid);
    cJSON_AddStringToObject(json, "bssid", bssid);
    cJSON_AddNumberToObject(json, "channel", s_state.channel);
    cJSON_AddStringToObject(json, "auth", is_secure ? "wpa2" : "open");
    if (is_secure) {
        host_pmk_to_hex(pmk, pmk_hex);
        cJSON_AddStringToObject(json, "pmk", pmk_hex);
    } else {
        cJSON_AddNullToObject(json, "pmk");
    }
    cJSON_AddStringToObject(json, "base_url", base_url);
    cJSON_AddNumberToObject(json, "pid", getpid());
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

/* Replace the file at once: a reader sees the old or the new one, never half of one. */
static bool replace_file(const char *path, const char *text)
{
    char draft[4200];
    snprintf(draft, sizeof draft, "%s.%d.tmp", path, (int)getpid());
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    size_t length = strlen(text);
    bool is_written = write(fd, text, length) == (ssize_t)length;
    close(fd);
    if (!is_written || rename(draft, path) != 0) {
        unlink(draft);
        return false;
    }
    return true;
}

static void announce(void)
{
    s_is_announced = true;
    if (host_env()->air_dir == NULL || s_is_withdrawn) {
        return;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/aps", host_env()->air_dir);
    mkdir(path, 0700); /* usually there */
    own_path(path, sizeof path);
    char *text = format_announcement();
    if (text == NULL || !replace_file(path, text)) {
        ESP_LOGE(TAG, "cannot write %s", path);
    }
    cJSON_free(text);
}

static void remove_announcement(void)
{
    s_is_announced = false;
    if (host_env()->air_dir != NULL) {
        char path[4096];
        own_path(path, sizeof path);
        unlink(path);
    }
}

/* A socket that takes the place of another one of the same server is bound as that was. */
static bool is_bound_as_before(int fd)
{
    return s_bound_to[0] == '\0' ||
           setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, s_bound_to, (socklen_t)strlen(s_bound_to)) == 0;
}

static bool bind_socket(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(has_own_interface() ? INADDR_ANY : INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    int on = 1; /* clients of the last AP may still be in TIME_WAIT */
    s_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s_socket >= 0 &&
        setsockopt(s_socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        is_bound_as_before(s_socket) &&
        bind(s_socket, (struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(s_socket, (struct sockaddr *)&address, &length) == 0) {
        s_port = ntohs(address.sin_port);
        return true;
    }
    if (s_socket >= 0) {
        close(s_socket);
        s_socket = -1;
    }
    return false;
}

/*
 * Claim a port; nobody is let in before listen(): connections are refused until then. On the loopback interface
 * the first one is whatever is free, later ones the same again, since a board's address does not change either
 * while clients know it.
 */
static void open_socket(void)
{
    bool is_open = has_own_interface() ? bind_socket(s_listener.port) : bind_socket(s_port) || bind_socket(0);
    if (!is_open) {
        ESP_LOGE(TAG, "no port for the SoftAP");
        abort();
    }
}

static void close_socket(void)
{
    if (s_is_open) {
        s_listener.close(s_listener.server);
        s_is_open = false;
    }
    if (s_socket >= 0) {
        close(s_socket);
        s_socket = -1;
    }
}

static void open_listener(void)
{
    if (!s_has_listener) {
        return;
    }
    int fd = fcntl(s_socket, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || listen(fd, SOMAXCONN) != 0) {
        ESP_LOGE(TAG, "cannot listen on port %d", s_port);
        abort();
    }
    s_listener.open(s_listener.server, fd);
    s_is_open = true;
}

/* A new socket each time the AP or the server starts, since a closed listener's would stay open for
 * clients through its duplicate; the announcement follows. */
static void restart(void)
{
    close_socket();
    open_socket();
    open_listener();
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
    s_state = *wanted;
    if (wanted->is_up && !was_up) {
        if (!has_own_interface()) {
            restart();
        }
        if (s_bound_to[0] != '\0') {
            announce(); /* it was away for a moment */
        } else {
            announce_in(BEACON_DELAY_MS);
        }
    } else if (wanted->is_up && has_changed && s_is_announced) {
        announce();
    } else if (!wanted->is_up && was_up) {
        remove_announcement();
        if (!has_own_interface()) {
            close_socket();
        }
    }
    pthread_mutex_unlock(&s_lock);
}

void host_softap_attach(const host_softap_listener_t *listener)
{
    pthread_mutex_lock(&s_lock);
    close_socket();
    s_bound_to[0] = '\0';
    s_has_listener = listener != NULL;
    if (listener != NULL) {
        s_listener = *listener;
    }
    if (has_own_interface() ? s_has_listener : s_state.is_up) {
        restart();
    }
    if (s_is_announced) {
        announce(); /* the port may be another one */
    }
    pthread_mutex_unlock(&s_lock);
}

const char *host_softap_interface(void)
{
    pthread_mutex_lock(&s_lock);
    bool is_up = s_state.is_up;
    pthread_mutex_unlock(&s_lock);
    return !is_up ? NULL : has_own_interface() ? host_env()->ap_interface : "lo";
}

int host_softap_asked_port(int port)
{
    pthread_mutex_lock(&s_lock);
    bool is_ours = s_has_listener && port == s_port;
    int asked = is_ours ? s_listener.port : port;
    pthread_mutex_unlock(&s_lock);
    return asked;
}

void host_softap_note_bound(const char *interface)
{
    pthread_mutex_lock(&s_lock);
    snprintf(s_bound_to, sizeof s_bound_to, "%s", interface);
    pthread_mutex_unlock(&s_lock);
}

void host_softap_note_idle(void)
{
    pthread_mutex_lock(&s_lock);
    if (s_state.is_up && !s_is_announced && s_bound_to[0] != '\0') {
        announce();
    }
    pthread_mutex_unlock(&s_lock);
}

bool host_softap_reaches(int fd)
{
    char bound[IFNAMSIZ] = "";
    socklen_t size = sizeof bound;
    pthread_mutex_lock(&s_lock);
    bool reaches = !has_own_interface() || s_bound_to[0] == '\0' ||
                   (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bound, &size) == 0 && strcmp(bound, s_bound_to) == 0);
    pthread_mutex_unlock(&s_lock);
    return reaches;
}

void host_softap_withdraw(void)
{
    pthread_mutex_lock(&s_lock);
    s_is_withdrawn = true;
    remove_announcement();
    pthread_mutex_unlock(&s_lock);
}
