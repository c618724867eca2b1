#include "ap_interface.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "lwip/sockets.h"

#define HTTP_PORT 80 /* HTTPD_DEFAULT_CONFIG */
#define IS_UP BIT0
#define START_TIMEOUT_MS 3000

static const char *TAG = "ap";
static EventGroupHandle_t s_state;

esp_err_t ap_interface_bind(int fd)
{
    struct ifreq interface = {0};
    esp_netif_t *netif = esp_netif_get_handle_from_ifkey("WIFI_AP_DEF");
    esp_err_t err = esp_netif_get_netif_impl_name(netif, interface.ifr_name);
    if (err != ESP_OK) {
        return err;
    }
    /* An empty name would set the socket free. */
    if (interface.ifr_name[0] == '\0' ||
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, &interface, sizeof interface) != 0) {
        ESP_LOGE(TAG, "a socket cannot be bound to %s: %s", interface.ifr_name, strerror(errno));
        return ESP_FAIL;
    }
    return ESP_OK;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        return 0;
    }
    /* At the same place in sockaddr_in6. */
    return ntohs(((const struct sockaddr_in *)&name)->sin_port);
}

/** esp_http_server does not tell its listening socket. */
static int find_server(void)
{
    for (int fd = LWIP_SOCKET_OFFSET; fd < FD_SETSIZE; fd++) {
        int is_listening = 0;
        socklen_t size = sizeof is_listening;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening != 0 &&
            port_of(fd) == HTTP_PORT) {
            return fd;
        }
    }
    return -1;
}

esp_err_t ap_interface_bind_server(void)
{
    int fd = find_server();
    return fd >= 0 ? ap_interface_bind(fd) : ESP_ERR_NOT_FOUND;
}

/* ESP-IDF's own handler, which brings the interface up, was registered for this event before. */
static void on_start(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)id;
    (void)data;
    esp_err_t err = ap_interface_bind_server();
    if (err != ESP_OK && err != ESP_ERR_NOT_FOUND) {
        /* It stays bound to the interface that was: nobody reaches it. */
        ESP_LOGE(TAG, "the HTTP server is not on the new interface: %s", esp_err_to_name(err));
    }
    xEventGroupSetBits(s_state, IS_UP);
}

static void on_stop(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)id;
    (void)data;
    xEventGroupClearBits(s_state, IS_UP);
}

esp_err_t ap_interface_init(void)
{
    s_state = xEventGroupCreate();
    if (s_state == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_event_handler_instance_register(WIFI_EVENT, WIFI_EVENT_AP_START, on_start, NULL, NULL);
    if (err == ESP_OK) {
        err = esp_event_handler_instance_register(WIFI_EVENT, WIFI_EVENT_AP_STOP, on_stop, NULL, NULL);
    }
    return err;
}

void ap_interface_goes_down(void)
{
    xEventGroupClearBits(s_state, IS_UP);
}

esp_err_t ap_interface_await(void)
{
    EventBits_t bits = xEventGroupWaitBits(s_state, IS_UP, pdFALSE, pdTRUE, pdMS_TO_TICKS(START_TIMEOUT_MS));
    return (bits & IS_UP) != 0 ? ESP_OK : ESP_ERR_TIMEOUT;
}
