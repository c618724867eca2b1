#include "wifi_radio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cJSON.h"
#include "esp_log.h"
#include "host_env.h"

#define RADIO_LOST_REASON WIFI_REASON_BEACON_TIMEOUT

static const char *TAG = "wifi_radio";

static const wifi_radio_listener_t *s_listener;
static pthread_mutex_t s_write_lock = PTHREAD_MUTEX_INITIALIZER;
static int s_socket = -1;
static atomic_int s_attempt; /* id of the latest connection */

static bool parse_address(const cJSON *event, const char *name, uint32_t *address)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, name));
    struct in_addr parsed;
    if (text == NULL || inet_pton(AF_INET, text, &parsed) != 1) {
        return false;
    }
    *address = parsed.s_addr;
    return true;
}

static void take_scan(const cJSON *event)
{
    host_air_t *air = calloc(1, sizeof *air);
    const cJSON *item = NULL;
    if (air == NULL) {
        return;
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(event, "networks"))
    {
        if (air->count < HOST_AIR_MAX_NETWORKS &&
            host_air_parse_sighting(item, &air->networks[air->count])) {
            air->count++;
        }
    }
    s_listener->take_scan(air);
    free(air);
}

static void take_connection_event(const char *name, const cJSON *event)
{
    host_air_network_t network = {0};
    esp_netif_ip_info_t ip_info = {0};
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(event, "id");
    if (!cJSON_IsNumber(id) || id->valueint != atomic_load(&s_attempt)) {
        return; /* of a connection that was given up */
    }
    if (strcmp(name, "associated") == 0 && host_air_parse_sighting(event, &network)) {
        s_listener->take_association(&network);
    } else if (strcmp(name, "address") == 0 && parse_address(event, "ip", &ip_info.ip.addr) &&
               parse_address(event, "netmask", &ip_info.netmask.addr) &&
               parse_address(event, "gateway", &ip_info.gw.addr)) {
        s_listener->take_address(&ip_info);
    } else if (strcmp(name, "disconnected") == 0) {
        const cJSON *reason = cJSON_GetObjectItemCaseSensitive(event, "reason");
        s_listener->take_end(cJSON_IsNumber(reason) ? (uint8_t)reason->valueint
                                                     : WIFI_REASON_UNSPECIFIED);
    } else {
        ESP_LOGW(TAG, "not understood: %s", name);
    }
}

static void take_event(const cJSON *event)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "event"));
    if (name == NULL) {
        ESP_LOGW(TAG, "not understood");
    } else if (strcmp(name, "scanned") == 0) {
        take_scan(event);
    } else {
        take_connection_event(name, event);
    }
}

static void *read_events(void *argument)
{
    (void)argument;
    FILE *input = fdopen(s_socket, "r");
    char *line = NULL;
    size_t size = 0;
    while (input != NULL && getline(&line, &size, input) > 0) {
        cJSON *event = cJSON_Parse(line);
        take_event(event);
        cJSON_Delete(event);
    }
    free(line);
    ESP_LOGE(TAG, "the radio is gone");
    s_listener->take_end(RADIO_LOST_REASON);
    return NULL;
}

static void open_radio(void)
{
    const char *path = host_env()->radio_path;
    if (path == NULL) {
        return;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        ESP_LOGE(TAG, "no radio at %s: %s", path, strerror(errno));
        abort();
    }
    s_socket = fd;
    pthread_t thread;
    if (pthread_create(&thread, NULL, read_events, NULL) != 0) {
        abort();
    }
    pthread_detach(thread);
}

void wifi_radio_open(const wifi_radio_listener_t *listener)
{
    if (s_listener == NULL) {
        s_listener = listener;
        open_radio();
    }
}

bool wifi_radio_is_used(void)
{
    return s_socket >= 0;
}

static void send_request(cJSON *request)
{
    char *text = cJSON_PrintUnformatted(request);
    cJSON_Delete(request);
    if (text == NULL) {
        return;
    }
    struct iovec parts[] = {{.iov_base = text, .iov_len = strlen(text)},
                            {.iov_base = "\n", .iov_len = 1}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    pthread_mutex_lock(&s_write_lock);
    ssize_t sent = sendmsg(s_socket, &message, MSG_NOSIGNAL);
    pthread_mutex_unlock(&s_write_lock);
    if (sent != (ssize_t)(parts[0].iov_len + 1)) {
        ESP_LOGE(TAG, "the radio does not listen: %s", strerror(errno));
    }
    cJSON_free(text);
}

static cJSON *make_request(const char *op)
{
    cJSON *request = cJSON_CreateObject();
    cJSON_AddStringToObject(request, "op", op);
    return request;
}

void wifi_radio_scan(void)
{
    send_request(make_request("scan"));
}

void wifi_radio_connect(const char *ssid, const char *password)
{
    cJSON *request = make_request("connect");
    cJSON_AddNumberToObject(request, "id", atomic_fetch_add(&s_attempt, 1) + 1);
    cJSON_AddStringToObject(request, "ssid", ssid);
    cJSON_AddStringToObject(request, "password", password);
    send_request(request);
}

void wifi_radio_disconnect(void)
{
    send_request(make_request("disconnect"));
}
