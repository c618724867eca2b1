/* A server for the test to talk to, behind a SoftAP. Runs until its power is switched off. */
#include "esp_http_server.h"
#include "freertos/task.h"
#include "program.h"

static httpd_handle_t s_server;

static esp_err_t echo(httpd_req_t *req)
{
    if (req->content_len > 4096) {
        httpd_resp_set_status(req, "413 Content Too Large");
        httpd_resp_send(req, "too large", HTTPD_RESP_USE_STRLEN);
        return ESP_FAIL;
    }
    static char body[4097]; /* one thread runs all handlers */
    size_t length = 0;
    size_t largest = 0;
    while (length < req->content_len) {
        int got = httpd_req_recv(req, body + length, sizeof body - length);
        if (got <= 0) {
            return ESP_FAIL;
        }
        largest = (size_t)got > largest ? (size_t)got : largest;
        length += (size_t)got;
    }
    CHECK(largest <= 512);
    CHECK(httpd_req_recv(req, body, 1) == 0);
    httpd_resp_set_type(req, HTTPD_TYPE_OCTET);
    return httpd_resp_send(req, body, (ssize_t)length);
}

static esp_err_t show(httpd_req_t *req)
{
    char token[8];
    CHECK(httpd_req_get_hdr_value_len(req, "X-Absent") == 0);
    CHECK(httpd_req_get_hdr_value_str(req, "X-Absent", token, sizeof token) == ESP_ERR_NOT_FOUND);
    esp_err_t err = httpd_req_get_hdr_value_str(req, "x-TOKEN", token, sizeof token);
    char text[700];
    snprintf(text, sizeof text, "%s %s %zu", req->uri, esp_err_to_name(err),
             httpd_req_get_hdr_value_len(req, "X-Token"));
    int added = 0;
    while (httpd_resp_set_hdr(req, "X-More", "1") == ESP_OK) {
        added++;
    }
    CHECK(added == 8);
    CHECK(httpd_resp_set_type(req, "a\r\nb") == ESP_ERR_INVALID_ARG);
    err = httpd_resp_send(req, text, HTTPD_RESP_USE_STRLEN);
    CHECK(httpd_req_get_hdr_value_str(req, "X-Token", token, sizeof token) == ESP_ERR_NOT_FOUND);
    return err;
}

static esp_err_t not_found(httpd_req_t *req, httpd_err_code_t error)
{
    CHECK(error == HTTPD_404_NOT_FOUND);
    httpd_resp_set_status(req, HTTPD_404);
    return httpd_resp_send(req, "ours", HTTPD_RESP_USE_STRLEN);
}

static void take_ap_down(void *arg)
{
    (void)arg;
    esp_wifi_set_mode(WIFI_MODE_STA);
    REPORT("down %d failures", s_failures);
    vTaskDelete(NULL);
}

/* The answer has to arrive although the AP goes at once: on the chip it is sent before. */
static esp_err_t down(httpd_req_t *req)
{
    esp_err_t err = httpd_resp_send(req, "bye", HTTPD_RESP_USE_STRLEN);
    xTaskCreate(take_ap_down, "down", 4096, NULL, 5, NULL);
    return err;
}

/* Begin to connect; with the fault `ap_vanish_on_connect` the AP is gone until that ends. */
static esp_err_t join(httpd_req_t *req)
{
    wifi_config_t config = {.sta = {.ssid = "Open"}};
    CHECK(esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_OK);
    CHECK(esp_wifi_connect() == ESP_OK);
    return httpd_resp_send(req, "joining", HTTPD_RESP_USE_STRLEN);
}

static esp_err_t fail(httpd_req_t *req)
{
    (void)req;
    return ESP_FAIL;
}

static void add(const char *uri, httpd_method_t method, esp_err_t (*handler)(httpd_req_t *),
                esp_err_t expected)
{
    httpd_uri_t entry = {.uri = uri, .method = method, .handler = handler};
    CHECK(httpd_register_uri_handler(s_server, &entry) == expected);
}

void app_main(void)
{
    wifi_ap_config_t ap = {.ssid = "test-ap",
                           .password = "12345678",
                           .authmode = WIFI_AUTH_WPA2_PSK,
                           .channel = 3,
                           .max_connection = 4};
    start_wifi(WIFI_MODE_APSTA, &ap);
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    config.max_open_sockets = 14;
    CHECK(httpd_start(&s_server, &config) == ESP_ERR_INVALID_ARG);
    config.max_open_sockets = 3;
    config.max_uri_handlers = 5;
    config.lru_purge_enable = true;
    config.recv_wait_timeout = 1;
    CHECK(httpd_start(&s_server, &config) == ESP_OK);
    httpd_handle_t second;
    CHECK(httpd_start(&second, &config) == ESP_ERR_HTTPD_TASK);
    CHECK(httpd_stop(s_server) == ESP_OK);
    CHECK(httpd_start(&s_server, &config) == ESP_OK);
    add("/echo", HTTP_POST, echo, ESP_OK);
    add("/echo", HTTP_POST, echo, ESP_ERR_HTTPD_HANDLER_EXISTS);
    add("/show", HTTP_GET, show, ESP_OK);
    add("/down", HTTP_GET, down, ESP_OK);
    add("/fail", HTTP_GET, fail, ESP_OK);
    add("/join", HTTP_GET, join, ESP_OK);
    add("/full", HTTP_GET, show, ESP_ERR_HTTPD_HANDLERS_FULL);
    CHECK(httpd_register_err_handler(s_server, HTTPD_404_NOT_FOUND, not_found) == ESP_OK);
    REPORT("ready %d failures", s_failures);
}
