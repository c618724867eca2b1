/*
 * Who is served by the firmware's connections (http_session.c, ap_interface.c) before the server is bound to the
 * SoftAP's interface, while it is about to be, and after. Obeys a command a line: "stand" makes the server's task
 * stand still until "go"; "bind" binds it and has it admit whoever comes from then on.
 */
#include "ap_interface.h"
#include "device_clock.h"
#include "esp_event.h"
#include "esp_http_server.h"
#include "esp_netif.h"
#include "esp_timer.h"
#include "http_session.h"
#include "lwip/sockets.h"
#include "program.h"

static SemaphoreHandle_t s_go;

int64_t device_clock_uptime_ms(void)
{
    return esp_timer_get_time() / 1000;
}

static esp_err_t show(httpd_req_t *req)
{
    esp_err_t err = httpd_resp_send(req, "served", HTTPD_RESP_USE_STRLEN);
    http_session_end_request();
    return err;
}

/* More than any buffer on the way holds. */
static esp_err_t show_much(httpd_req_t *req)
{
    static char block[65536];
    esp_err_t err = ESP_OK;
    for (int i = 0; i < 1024 && err == ESP_OK; i++) {
        err = httpd_resp_send_chunk(req, block, sizeof block);
    }
    http_session_end_request();
    REPORT("gives up: %s", esp_err_to_name(err));
    return err;
}

static void stand_still(void *arg)
{
    (void)arg;
    REPORT("stands");
    xSemaphoreTake(s_go, portMAX_DELAY);
}

static void obey(httpd_handle_t server, const char *command)
{
    if (strcmp(command, "stand\n") == 0) {
        CHECK(httpd_queue_work(server, stand_still, NULL) == ESP_OK);
    } else if (strcmp(command, "go\n") == 0) {
        xSemaphoreGive(s_go);
    } else if (strcmp(command, "bind\n") == 0) {
        CHECK(ap_interface_bind_server() == ESP_OK);
        CHECK(http_session_admit(server) == ESP_OK);
        REPORT("bound");
    } else if (strcmp(command, "refuse\n") == 0) {
        http_session_refuse_all();
        REPORT("refuses");
    }
}

static void check_without_ap(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(ap_interface_bind(fd) != ESP_OK);
    CHECK(ap_interface_bind_server() == ESP_ERR_NOT_FOUND);
    close(fd);
}

/* As lwIP: no interface, no bind; and a name that nobody bears is an error. */
static void check_devices(void)
{
    char name[IFNAMSIZ] = "";
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq nobody = {.ifr_name = "ap9"};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, &nobody, sizeof nobody) != 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "ap1", 3) != 0);
    CHECK(ap_interface_bind(fd) == ESP_OK);
    CHECK(esp_netif_get_netif_impl_name(esp_netif_get_handle_from_ifkey("WIFI_AP_DEF"), name) == ESP_OK);
    CHECK_TEXT(name, "ap1");
    close(fd);
}

void app_main(void)
{
    wifi_ap_config_t ap = {.ssid = "test-ap", .authmode = WIFI_AUTH_OPEN, .channel = 3, .max_connection = 4};
    s_go = xSemaphoreCreateBinary();
    start_wifi(WIFI_MODE_APSTA, &ap);
    CHECK(esp_wifi_set_mode(WIFI_MODE_STA) == ESP_OK);
    CHECK(ap_interface_init() == ESP_OK);
    check_without_ap();
    CHECK(esp_wifi_set_mode(WIFI_MODE_APSTA) == ESP_OK);
    CHECK(ap_interface_await() == ESP_OK);
    check_devices();

    httpd_handle_t server;
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    config.open_fn = http_session_open;
    config.lru_purge_enable = true;
    http_session_refuse_all();
    CHECK(httpd_start(&server, &config) == ESP_OK);
    httpd_uri_t handler = {.uri = "/", .method = HTTP_GET, .handler = show};
    httpd_uri_t much = {.uri = "/much", .method = HTTP_GET, .handler = show_much};
    CHECK(httpd_register_uri_handler(server, &handler) == ESP_OK);
    CHECK(httpd_register_uri_handler(server, &much) == ESP_OK);
    REPORT("ready");

    char command[32];
    while (fgets(command, sizeof command, stdin) != NULL) {
        obey(server, command);
    }
    CHECK(httpd_stop(server) == ESP_OK);
    finish("http_window");
}
