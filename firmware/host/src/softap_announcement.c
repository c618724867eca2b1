#include "softap_announcement.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cJSON.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "host_env.h"
#include "host_errand.h"
#include "host_loopback.h"
#include "host_pmk.h"

static const char *TAG = "softap";

static void own_file_name(char *name, size_t size)
{
    uint8_t mac[6];
    esp_read_mac(mac, ESP_MAC_WIFI_SOFTAP);
    snprintf(name, size, "%02x%02x%02x%02x%02x%02x.json", MAC2STR(mac));
}

bool softap_announcement_is_own(const char *name)
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

static void add_security(cJSON *json, const host_softap_state_t *state)
{
    uint8_t pmk[HOST_PMK_LEN];
    char pmk_hex[2 * HOST_PMK_LEN + 1];
    bool is_secure = host_pmk_derive(state->password, state->ssid, pmk);
    cJSON_AddStringToObject(json, "auth", is_secure ? "wpa2" : "open");
    if (is_secure) {
        host_pmk_to_hex(pmk, pmk_hex);
        cJSON_AddStringToObject(json, "pmk", pmk_hex);
    } else {
        cJSON_AddNullToObject(json, "pmk");
    }
}

static void add_base_url(cJSON *json, int port)
{
    char address[INET_ADDRSTRLEN] = "192.168.4.1"; /* of a SoftAP that has an interface of its own */
    char base_url[48];
    if (host_loopback_is_used()) {
        struct in_addr softap = {.s_addr = host_loopback_softap()};
        inet_ntop(AF_INET, &softap, address, sizeof address);
    }
    snprintf(base_url, sizeof base_url, "http://%s:%d", address, port);
    cJSON_AddStringToObject(json, "base_url", base_url);
}

static char *format(const host_softap_state_t *state, int port)
{
    uint8_t mac[6];
    char bssid[18];
    esp_read_mac(mac, ESP_MAC_WIFI_SOFTAP);
    snprintf(bssid, sizeof bssid, MACSTR, MAC2STR(mac));
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "ssid", state->ssid);
    cJSON_AddStringToObject(json, "bssid", bssid);
    cJSON_AddNumberToObject(json, "channel", state->channel);
    add_security(json, state);
    add_base_url(json, port);
    cJSON_AddNumberToObject(json, "pid", getpid());
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

/* At once: a reader sees the old or the new one, never half of one. */
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

typedef struct {
    const host_softap_state_t *state;
    int port;
} announcement_t;

static void write_file(void *argument)
{
    const announcement_t *announcement = argument;
    char path[4096];
    snprintf(path, sizeof path, "%s/aps", host_env()->air_dir);
    mkdir(path, 0700); /* usually there */
    own_path(path, sizeof path);
    char *text = format(announcement->state, announcement->port);
    if (text == NULL || !replace_file(path, text)) {
        ESP_LOGE(TAG, "cannot write %s", path);
    }
    cJSON_free(text);
}

void softap_announcement_write(const host_softap_state_t *state, int port)
{
    announcement_t announcement = {.state = state, .port = port};
    if (host_env()->air_dir != NULL) {
        host_errand(write_file, &announcement);
    }
}

static void remove_file(void *argument)
{
    (void)argument;
    char path[4096];
    own_path(path, sizeof path);
    unlink(path);
}

void softap_announcement_remove(void)
{
    if (host_env()->air_dir != NULL) {
        host_errand(remove_file, NULL);
    }
}
