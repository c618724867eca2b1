/*
 * Who reaches the board's servers. Obeys a command a line: "serve" and "stop" the HTTP server, "bind" it to the
 * SoftAP's interface as the firmware does (ap_interface.c), "up" and "down" the SoftAP, "join" and "leave" the home
 * network, "echo" datagrams at the SoftAP's address, "call" a port of this machine. Reports each when it is done.
 */
#include "ap_interface.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_http_server.h"
#include "esp_netif.h"
#include "freertos/task.h"
#include "lwip/sockets.h"
#include "program.h"

static httpd_handle_t s_server;
static bool s_does_rebind; /* when the AP starts, as the firmware does */

static esp_err_t show(httpd_req_t *req)
{
    return httpd_resp_send(req, "served", HTTPD_RESP_USE_STRLEN);
}

static void serve(void)
{
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    httpd_uri_t handler = {.uri = "/", .method = HTTP_GET, .handler = show};
    CHECK(httpd_start(&s_server, &config) == ESP_OK);
    CHECK(httpd_register_uri_handler(s_server, &handler) == ESP_OK);
    REPORT("serves");
}

static void up(void)
{
    CHECK(esp_wifi_set_mode(WIFI_MODE_APSTA) == ESP_OK);
    CHECK(!s_does_rebind || ap_interface_await() == ESP_OK);
    REPORT("is up");
}

static void down(void)
{
    if (s_does_rebind) {
        ap_interface_goes_down();
    }
    CHECK(esp_wifi_set_mode(WIFI_MODE_STA) == ESP_OK);
    REPORT("is down");
}

static void join(void)
{
    esp_netif_ip_info_t info;
    CHECK(esp_wifi_connect() == ESP_OK);
    xSemaphoreTake(s_has_address, portMAX_DELAY);
    CHECK(esp_netif_get_ip_info(esp_netif_get_handle_from_ifkey("WIFI_STA_DEF"), &info) == ESP_OK);
    REPORT("station " IPSTR, IP2STR(&info.ip));
}

static void echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char datagram[64];
    struct sockaddr_in from;
    for (;;) {
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&from, &size);
        if (got > 0) {
            (void)sendto(fd, datagram, (size_t)got, 0, (struct sockaddr *)&from, size);
        }
    }
}

/* As captive_dns.c. */
static void open_echo(void)
{
    esp_netif_ip_info_t info;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(53)};
    socklen_t size = sizeof name;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(esp_netif_get_ip_info(esp_netif_get_handle_from_ifkey("WIFI_AP_DEF"), &info) == ESP_OK);
    name.sin_addr.s_addr = info.ip.addr;
    CHECK(ap_interface_bind(fd) == ESP_OK);
    CHECK(bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    CHECK(xTaskCreate(echo, "echo", 4096, (void *)(intptr_t)fd, 5, NULL) == pdPASS);
    REPORT("echoes at port %u", (unsigned)ntohs(name.sin_port));
}

static void call(const char *port)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", atoi(port));
    esp_http_client_config_t config = {.url = url};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    esp_err_t err = esp_http_client_perform(client);
    REPORT("called: %s", esp_err_to_name(err));
    CHECK(esp_http_client_cleanup(client) == ESP_OK);
}

static void obey(const char *command)
{
    if (strncmp(command, "call ", 5) == 0) {
        call(command + 5);
    } else if (strcmp(command, "serve\n") == 0) {
        serve();
    } else if (strcmp(command, "stop\n") == 0) {
        CHECK(httpd_stop(s_server) == ESP_OK);
        REPORT("has stopped");
    } else if (strcmp(command, "bind\n") == 0) {
        CHECK(ap_interface_bind_server() == ESP_OK);
        REPORT("is bound");
    } else if (strcmp(command, "up\n") == 0) {
        up();
    } else if (strcmp(command, "down\n") == 0) {
        down();
    } else if (strcmp(command, "join\n") == 0) {
        join();
    } else if (strcmp(command, "leave\n") == 0) {
        CHECK(esp_wifi_disconnect() == ESP_OK);
        REPORT("has left");
    } else if (strcmp(command, "echo\n") == 0) {
        open_echo();
    }
}

void app_main(void)
{
    wifi_ap_config_t ap = {.ssid = "test-ap", .authmode = WIFI_AUTH_OPEN, .channel = 3, .max_connection = 4};
    wifi_config_t home = {.sta = {.ssid = "Open"}};
    start_wifi(WIFI_MODE_APSTA, &ap);
    CHECK(esp_wifi_set_mode(WIFI_MODE_STA) == ESP_OK);
    s_does_rebind = getenv("TEST_BINDS_ONCE") == NULL;
    CHECK(!s_does_rebind || ap_interface_init() == ESP_OK);
    s_has_address = xSemaphoreCreateBinary();
    CHECK(esp_event_handler_instance_register(IP_EVENT, IP_EVENT_STA_GOT_IP, note_address, NULL, NULL) == ESP_OK);
    CHECK(esp_wifi_set_config(WIFI_IF_STA, &home) == ESP_OK);
    REPORT("ready");
    char command[32];
    while (fgets(command, sizeof command, stdin) != NULL) {
        obey(command);
    }
    finish("reach");
}
