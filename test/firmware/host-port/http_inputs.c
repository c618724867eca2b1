/*
 * The rows of test/golden/http-inputs.jsonl, one a line of standard input: `url <hex>` goes to the URL judge and to
 * esp_http_client_set_url(); `response <port>` and `head <port>` are GET and HEAD to a server that answers with a row.
 * Each gives one line, a JSON document. Requests come to the server behind the SoftAP, whose one handler tells what it got.
 */
#include "esp_http_client.h"
#include "esp_http_client_priv.h"
#include "esp_http_server.h"
#include "program.h"

#define AMPLE_MS 300000
#define BUFFER 1024
#define MAX_BODY 8000

static void put_text(const char *text, size_t length)
{
    fputc('"', stdout);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool is_plain = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
        printf(is_plain ? "%c" : "\\u%04x", byte);
    }
    fputc('"', stdout);
}

static void put(const char *text)
{
    put_text(text, strlen(text));
}

/* ---- URLs and answers, by the client ---- */

static bool s_is_first;

static esp_err_t on_event(esp_http_client_event_t *event)
{
    if (event->event_id == HTTP_EVENT_ON_HEADER) {
        fputs(s_is_first ? "[" : ",[", stdout);
        s_is_first = false;
        put(event->header_key);
        fputc(',', stdout);
        put(event->header_value);
        fputc(']', stdout);
    }
    return ESP_OK;
}

static esp_http_client_handle_t make_client(const char *url, esp_http_client_method_t method)
{
    esp_http_client_config_t config = {.url = url, .method = method, .event_handler = on_event, .timeout_ms = AMPLE_MS,
                                       .buffer_size = BUFFER, .buffer_size_tx = BUFFER};
    return esp_http_client_init(&config);
}

static void put_parts(const char *url, const struct http_parser_url *parts)
{
    static const char *const NAMES[UF_MAX] = {"schema", "host", "port", "path", "query", "fragment", "userinfo"};
    const char *comma = "";
    fputs("{\"parts\":{", stdout);
    for (int i = 0; i < UF_MAX; i++) {
        if ((parts->field_set & (1 << i)) != 0) {
            printf("%s\"%s\":", comma, NAMES[i]);
            put_text(url + parts->field_data[i].off, parts->field_data[i].len);
            comma = ",";
        }
    }
}

static void judge_url(const char *url)
{
    struct http_parser_url parts = {0};
    esp_http_client_handle_t client = make_client("http://base.example/old?old", HTTP_METHOD_GET);
    esp_err_t err = esp_http_client_set_url(client, url);
    bool is_refused = http_strict_parse_url(url, strlen(url), 0, &parts) != 0;
    CHECK(is_refused == (err == ESP_ERR_INVALID_ARG));
    if (is_refused) {
        fputs("null", stdout);
    } else {
        put_parts(url, &parts);
        fputs("},\"client\":{\"scheme\":", stdout);
        put(client->scheme);
        fputs(",\"host\":", stdout);
        put(client->host);
        printf(",\"port\":%d,\"target\":", client->port);
        char target[2048];
        snprintf(target, sizeof target, "%s%s%s", client->path, client->query != NULL ? "?" : "",
                 client->query != NULL ? client->query : "");
        put(target);
        fputs("}}", stdout);
    }
    esp_http_client_cleanup(client);
}

static void fetch(int port, esp_http_client_method_t method)
{
    static char body[MAX_BODY];
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    esp_http_client_handle_t client = make_client(url, method);
    s_is_first = true;
    fputs("{\"headers\":[", stdout);
    CHECK(esp_http_client_open(client, 0) == ESP_OK);
    int64_t length = esp_http_client_fetch_headers(client);
    int status = esp_http_client_get_status_code(client);
    int filled = 0;
    int got = 0;
    while (length >= 0 && filled < MAX_BODY && (got = esp_http_client_read(client, body + filled, MAX_BODY - filled)) > 0) {
        filled += got;
    }
    printf("],\"length\":%lld,\"status\":%d", (long long)length, status);
    if (length >= 0) {
        fputs(",\"body\":", stdout);
        put_text(body, (size_t)filled);
        printf(",\"read\":%d,\"complete\":%s", got,
                esp_http_client_is_complete_data_received(client) ? "true" : "false");
    }
    fputc('}', stdout);
    esp_http_client_cleanup(client);
}

/* ---- requests, by the server ---- */

static void put_hex(FILE *out, const char *name, const char *data, size_t length)
{
    fprintf(out, "|%s=", name);
    for (size_t i = 0; i < length; i++) {
        fprintf(out, "%02x", (unsigned char)data[i]);
    }
}

static esp_err_t put_body(httpd_req_t *req, FILE *out)
{
    char body[1000];
    size_t filled = 0;
    while (filled < req->content_len) {
        int got = httpd_req_recv(req, body + filled, req->content_len - filled);
        if (got <= 0) {
            return ESP_FAIL;
        }
        filled += (size_t)got;
    }
    put_hex(out, "body", body, filled);
    return ESP_OK;
}

static esp_err_t tell(httpd_req_t *req)
{
    static const char *const FIELDS[] = {"Host", "X", "Content-Length", "Transfer-Encoding"};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%d %s %zu", req->method, req->uri, req->content_len);
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
        char value[2200];
        if (httpd_req_get_hdr_value_str(req, FIELDS[i], value, sizeof value) == ESP_OK) {
            put_hex(out, FIELDS[i], value, strlen(value));
        }
    }
    bool has_body = req->content_len > 0 && req->content_len < 1000;
    esp_err_t err = has_body ? put_body(req, out) : ESP_OK;
    fclose(out);
    err = err == ESP_OK ? httpd_resp_send(req, text, (ssize_t)size) : err;
    free(text);
    return err;
}

static bool match_all(const char *reference, const char *uri, size_t length)
{
    (void)reference;
    (void)uri;
    (void)length;
    return true;
}

static void start_server(void)
{
    static const httpd_method_t METHODS[] = {HTTP_DELETE,  HTTP_GET,     HTTP_HEAD,  HTTP_POST, HTTP_PUT,
                                             HTTP_CONNECT, HTTP_OPTIONS, HTTP_TRACE, HTTP_PATCH};
    httpd_handle_t server;
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    config.lru_purge_enable = true;
    config.uri_match_fn = match_all;
    config.max_uri_handlers = sizeof METHODS / sizeof METHODS[0];
    CHECK(httpd_start(&server, &config) == ESP_OK);
    for (size_t i = 0; i < config.max_uri_handlers; i++) {
        httpd_uri_t handler = {.uri = "/", .method = METHODS[i], .handler = tell};
        CHECK(httpd_register_uri_handler(server, &handler) == ESP_OK);
    }
}

static void obey(char *line)
{
    char *argument = strchr(line, ' ') + 1;
    if (strncmp(line, "url ", 4) == 0) {
        char url[2048] = "";
        for (size_t i = 0; i + 1 < sizeof url && sscanf(argument + 2 * i, "%2hhx", (unsigned char *)&url[i]) == 1; i++) {
        }
        judge_url(url);
    } else {
        fetch(atoi(argument), line[0] == 'h' ? HTTP_METHOD_HEAD : HTTP_METHOD_GET);
    }
}

void app_main(void)
{
    wifi_ap_config_t ap = {.ssid = "test-ap", .authmode = WIFI_AUTH_OPEN, .channel = 3, .max_connection = 4};
    start_wifi(WIFI_MODE_APSTA, &ap);
    start_server();
    s_has_address = xSemaphoreCreateBinary();
    ESP_ERROR_CHECK(esp_event_handler_instance_register(IP_EVENT, IP_EVENT_STA_GOT_IP, note_address, NULL, NULL));
    wifi_config_t station = {.sta = {.ssid = "Open"}};
    ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &station));
    ESP_ERROR_CHECK(esp_wifi_connect());
    xSemaphoreTake(s_has_address, portMAX_DELAY);
    REPORT("ready");
    static char line[8192];
    while (fgets(line, sizeof line, stdin) != NULL) {
        obey(line);
        fputc('\n', stdout);
        fflush(stdout);
    }
    finish("http_inputs");
}
