#include "host_air.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cJSON.h"
#include "esp_log.h"
#include "host_env.h"
#include "host_errand.h"
#include "host_heap.h"
#include "softap_announcement.h"

#define MAX_FILE_BYTES (256 * 1024)
#define SOFTAP_RSSI (-40)

static const char *TAG = "host_air";

static cJSON *read_json(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *text = malloc(MAX_FILE_BYTES);
    size_t length = text != NULL ? fread(text, 1, MAX_FILE_BYTES, file) : 0;
    fclose(file);
    cJSON *json = length > 0 && length < MAX_FILE_BYTES ? cJSON_ParseWithLength(text, length) : NULL;
    free(text);
    return json;
}

static cJSON *read_air_json(void)
{
    const char *dir = host_env()->air_dir;
    if (dir == NULL) {
        return NULL;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/air.json", dir);
    cJSON *json = read_json(path);
    if (json == NULL) {
        ESP_LOGW(TAG, "%s: missing or not JSON; the air is empty", path);
    }
    return json;
}

static const char *get_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static int get_int(const cJSON *object, const char *name, int fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valueint : fallback;
}

static bool get_bool(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static bool parse_auth(const char *name, wifi_auth_mode_t *auth)
{
    static const struct {
        const char *name;
        wifi_auth_mode_t auth;
    } MODES[] = {
        {"open", WIFI_AUTH_OPEN},         {"wep", WIFI_AUTH_WEP},
        {"wpa", WIFI_AUTH_WPA_PSK},       {"wpa2", WIFI_AUTH_WPA2_PSK},
        {"wpa3", WIFI_AUTH_WPA3_PSK},     {"wpa2wpa3", WIFI_AUTH_WPA2_WPA3_PSK},
    };
    for (size_t i = 0; name != NULL && i < sizeof MODES / sizeof MODES[0]; i++) {
        if (strcmp(name, MODES[i].name) == 0) {
            *auth = MODES[i].auth;
            return true;
        }
    }
    return false;
}

/* A locally administered address that is the same for the same SSID (FNV-1a). */
static void make_bssid(const char *ssid, uint8_t bssid[6])
{
    uint64_t hash = 14695981039346656037u;
    for (const char *c = ssid; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    }
    bssid[0] = 0x02;
    for (int i = 1; i < 6; i++) {
        bssid[i] = (uint8_t)(hash >> (8 * i));
    }
}

static bool parse_common(const cJSON *json, host_air_network_t *network)
{
    const char *ssid = get_string(json, "ssid");
    if (ssid == NULL || ssid[0] == '\0' || strlen(ssid) >= sizeof network->ssid) {
        return false;
    }
    snprintf(network->ssid, sizeof network->ssid, "%s", ssid);
    network->channel = (uint8_t)get_int(json, "channel", 1);
    return parse_auth(get_string(json, "auth"), &network->auth);
}

static bool parse_network(const cJSON *json, host_air_network_t *network)
{
    if (!parse_common(json, network)) {
        return false;
    }
    make_bssid(network->ssid, network->bssid);
    const char *psk = get_string(json, "psk");
    snprintf(network->psk, sizeof network->psk, "%s", psk != NULL ? psk : "");
    network->rssi = (int8_t)get_int(json, "rssi", -60);
    network->is_hidden = get_bool(json, "hidden");

    const cJSON *faults = cJSON_GetObjectItemCaseSensitive(json, "faults");
    network->has_no_dhcp = get_bool(faults, "no_dhcp");
    network->has_no_dns = get_bool(faults, "dns_fail");
    network->reject_reason = (uint8_t)get_int(faults, "reject_reason", 0);
    network->fail_first = (unsigned)get_int(faults, "fail_first", 0);
    network->drop_after_ms = get_int(faults, "drop_after_ms", 0);
    return true;
}

static bool parse_bssid(const cJSON *json, uint8_t b[6])
{
    const char *bssid = get_string(json, "bssid");
    return bssid != NULL && sscanf(bssid, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &b[0], &b[1], &b[2],
                                   &b[3], &b[4], &b[5]) == 6;
}

bool host_air_parse_sighting(const cJSON *json, host_air_network_t *network)
{
    network->rssi = (int8_t)get_int(json, "rssi", -60);
    return parse_common(json, network) && parse_bssid(json, network->bssid);
}

static bool parse_softap(const cJSON *json, host_air_network_t *network)
{
    int pid = get_int(json, "pid", 0);
    bool is_alive = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
    if (!is_alive || !parse_common(json, network)) {
        return false;
    }
    if (!parse_bssid(json, network->bssid)) {
        return false;
    }
    const char *pmk = get_string(json, "pmk");
    network->has_pmk = pmk != NULL && host_pmk_from_hex(pmk, network->pmk);
    network->rssi = SOFTAP_RSSI;
    network->has_no_dhcp = true; /* boards do not route for each other */
    return true;
}

static void add_networks(host_air_t *air, const cJSON *json)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "networks"))
    {
        if (air->count < HOST_AIR_MAX_NETWORKS && parse_network(item, &air->networks[air->count])) {
            air->count++;
        }
    }
}

static void add_softaps(host_air_t *air)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/aps", host_env()->air_dir);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL && air->count < HOST_AIR_MAX_NETWORKS) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".json") != 0 ||
            softap_announcement_is_own(entry->d_name)) {
            continue;
        }
        snprintf(path, sizeof path, "%s/aps/%s", host_env()->air_dir, entry->d_name);
        cJSON *json = read_json(path);
        if (json != NULL && parse_softap(json, &air->networks[air->count])) {
            air->count++;
        }
        cJSON_Delete(json);
    }
    closedir(dir);
}

static void read_air(void *result)
{
    host_air_t *air = calloc(1, sizeof *air);
    *(host_air_t **)result = air;
    if (air == NULL || host_env()->air_dir == NULL) {
        return;
    }
    cJSON *json = read_air_json();
    add_networks(air, json);
    const cJSON *faults = cJSON_GetObjectItemCaseSensitive(json, "faults");
    air->is_sntp_blocked = get_bool(faults, "sntp_blocked");
    air->does_ap_vanish = get_bool(faults, "ap_vanish_on_connect");
    cJSON_Delete(json);
    add_softaps(air);
}

host_air_t *host_air_read(void)
{
    host_air_t *air = NULL;
    host_errand(read_air, &air);
    return air;
}

void host_air_free(host_air_t *air)
{
    host_heap_pause();
    free(air);
    host_heap_resume();
}

typedef struct {
    const char *call;
    bool is_lost;
} reply_t;

static void look_for_reply(void *argument)
{
    reply_t *reply = argument;
    cJSON *json = read_air_json();
    const cJSON *faults = cJSON_GetObjectItemCaseSensitive(json, "faults");
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(faults, "lose_replies"))
    {
        const char *name = cJSON_GetStringValue(item);
        reply->is_lost = reply->is_lost || (name != NULL && strcmp(name, reply->call) == 0);
    }
    cJSON_Delete(json);
}

bool host_air_is_reply_lost(const char *call)
{
    reply_t reply = {.call = call};
    host_errand(look_for_reply, &reply);
    return reply.is_lost;
}

bool host_air_is_sntp_blocked(void)
{
    host_air_t *air = host_air_read();
    bool is_blocked = air != NULL && air->is_sntp_blocked;
    host_air_free(air);
    return is_blocked;
}
