/*
 * Every handler of http_api.c, behind a server that hands out headers and bodies as badly as a real
 * one may: in pieces, late, or not at all.
 */
#include <stdbool.h>

#include "ap_interface.h"
#include "cJSON.h"
#include "captive_portal.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_http_server.h"
#include "esp_netif.h"
#include "esp_system.h"
#include "fuzz.h"
#include "http_api.h"
#include "http_session.h"
#include "prov_mailbox.h"
#include "prov_status.h"
#include "stubs.h"
#include "wifi_scan.h"

#define HANDLERS_MAX 16
#define ANSWER_MAX 65536
#define PIECE 512 /* as ESP-IDF's server hands out a body */

#define INJECTED "<x>"

enum { JSON, JSON_UTF8, FORM, NO_TYPE };

static httpd_uri_t s_handlers[HANDLERS_MAX];
static size_t s_handler_count;
static httpd_err_handler_func_t s_on_error[HTTPD_ERR_CODE_MAX];

/* The request in progress. */
typedef struct {
    input_t body;
    uint8_t type;
    bool is_foreign;  /* a phone's probe, caught by the name server, or a page that calls itself the board */
    bool is_crossing; /* a form on somebody else's page */
    bool is_coded;    /* a Transfer-Encoding, which hides the body from the server */
    bool is_huge;     /* a Content-Length that 32 bits make a small one of */
    int64_t deadline_ms;
    char *authorization;
    bool in_pieces;
    bool is_slow;   /* a timeout before each piece */
    bool goes_away; /* before the last byte */
    bool store_fails;
    int saved;
    int posted;
    char length_text[24];
    int answers;
    int status;
    const char *content_type;
    char answer[ANSWER_MAX];
    size_t answer_size;
} request_t;

static request_t s_request;

/* ---- esp_http_server ---- */

esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config)
{
    MUST(config->max_uri_handlers >= s_handler_count);
    *handle = s_handlers;
    return ESP_OK;
}

esp_err_t httpd_stop(httpd_handle_t handle)
{
    (void)handle;
    return ESP_OK;
}

esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *uri_handler)
{
    (void)handle;
    MUST(s_handler_count < HANDLERS_MAX);
    s_handlers[s_handler_count++] = *uri_handler;
    return ESP_OK;
}

esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error, httpd_err_handler_func_t handler)
{
    (void)handle;
    s_on_error[error] = handler;
    return ESP_OK;
}

int httpd_req_recv(httpd_req_t *r, char *buf, size_t buf_len)
{
    if (s_request.is_slow) {
        g_uptime_ms += 3000;
        s_request.is_slow = s_request.in_pieces; /* before each piece, or once */
        if (s_request.body.left % 2 == 0) {
            return HTTPD_SOCK_ERR_TIMEOUT;
        }
    }
    if (s_request.goes_away && s_request.body.left <= 1) {
        return HTTPD_SOCK_ERR_FAIL;
    }
    if (r->content_len == 0) {
        return 0;
    }
    size_t most = s_request.in_pieces ? 1 + s_request.body.left % 7 : PIECE;
    size_t size = buf_len < most ? buf_len : most;
    size = size < s_request.body.left ? size : s_request.body.left;
    memcpy(buf, s_request.body.at, size);
    s_request.body.at += size;
    s_request.body.left -= size;
    return (int)size;
}

static const char *header(const char *field)
{
    static const char *const TYPES[] = {"application/json", "Application/JSON; charset=utf-8",
                                        "application/x-www-form-urlencoded", NULL};
    if (strcmp(field, "Content-Type") == 0) {
        return TYPES[s_request.type];
    }
    if (strcmp(field, "Host") == 0) {
        return s_request.is_foreign ? "connectivitycheck.example" : "192.168.4.1";
    }
    if (strcmp(field, "Transfer-Encoding") == 0) {
        return s_request.is_coded ? "gzip, Chunked" : NULL;
    }
    if (strcmp(field, "Content-Length") == 0) {
        return s_request.is_huge ? "4294967296" : s_request.length_text;
    }
    if (strcmp(field, "Origin") == 0 || strcmp(field, "Accept") == 0) {
        return s_request.is_crossing ? "http://example.org, application/json" : NULL;
    }
    return strcmp(field, "Authorization") == 0 ? s_request.authorization : NULL;
}

size_t httpd_req_get_hdr_value_len(httpd_req_t *r, const char *field)
{
    (void)r;
    const char *value = header(field);
    return value != NULL ? strlen(value) : 0;
}

esp_err_t httpd_req_get_hdr_value_str(httpd_req_t *r, const char *field, char *val, size_t val_size)
{
    (void)r;
    const char *value = header(field);
    if (value == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    size_t length = strlen(value);
    if (length >= val_size) {
        return ESP_ERR_HTTPD_RESULT_TRUNC;
    }
    memcpy(val, value, length + 1);
    return ESP_OK;
}

esp_err_t httpd_resp_set_status(httpd_req_t *r, const char *status)
{
    (void)r;
    s_request.status = atoi(status);
    return ESP_OK;
}

esp_err_t httpd_resp_set_type(httpd_req_t *r, const char *type)
{
    (void)r;
    s_request.content_type = type;
    return ESP_OK;
}

esp_err_t httpd_resp_set_hdr(httpd_req_t *r, const char *field, const char *value)
{
    (void)r;
    MUST(field[0] != '\0' && strpbrk(value, "\r\n") == NULL);
    return ESP_OK;
}

static void keep_answer(const char *buf, ssize_t buf_len)
{
    size_t length = buf == NULL ? 0 : buf_len == HTTPD_RESP_USE_STRLEN ? strlen(buf) : (size_t)buf_len;
    MUST(length <= ANSWER_MAX - s_request.answer_size);
    memcpy(s_request.answer + s_request.answer_size, buf != NULL ? buf : "", length);
    s_request.answer_size += length;
}

static void check_answer(void)
{
    bool is_json = s_request.content_type != NULL && strcmp(s_request.content_type, HTTPD_TYPE_JSON) == 0;
    s_request.answers++;
    if (is_json) {
        cJSON *json = cJSON_ParseWithLength(s_request.answer, s_request.answer_size);
        MUST(cJSON_IsObject(json));
        cJSON_Delete(json);
    }
    /* What a client or a neighbour calls itself never becomes markup. */
    MUST(is_json || memmem(s_request.answer, s_request.answer_size, INJECTED, sizeof INJECTED - 1) == NULL);
}

esp_err_t httpd_resp_send(httpd_req_t *r, const char *buf, ssize_t buf_len)
{
    (void)r;
    keep_answer(buf, buf_len);
    check_answer();
    return s_request.goes_away ? ESP_ERR_HTTPD_RESP_SEND : ESP_OK;
}

esp_err_t httpd_resp_send_chunk(httpd_req_t *r, const char *buf, ssize_t buf_len)
{
    (void)r;
    keep_answer(buf, buf_len);
    if (buf == NULL || buf_len == 0) {
        check_answer(); /* the end */
    }
    return ESP_OK;
}

/* ---- the connection ---- */

esp_err_t ap_interface_bind_server(void)
{
    return ESP_OK;
}

esp_err_t http_session_open(httpd_handle_t server, int fd)
{
    (void)server;
    (void)fd;
    return ESP_OK;
}

void http_session_refuse_all(void)
{
}

esp_err_t http_session_admit(httpd_handle_t server)
{
    (void)server;
    return ESP_OK;
}

bool http_session_has_time(void)
{
    return g_uptime_ms < s_request.deadline_ms;
}

bool http_session_is_awaited(httpd_req_t *req)
{
    (void)req;
    return !s_request.goes_away || s_request.body.left > 1;
}

uint32_t http_session_address(httpd_req_t *req)
{
    (void)req;
    return 0x0104a8c0;
}

void http_session_linger(httpd_req_t *req)
{
    (void)req;
}

void http_session_end_request(void)
{
}

/* ---- esp_netif: the SoftAP's address ---- */

esp_err_t esp_netif_get_ip_info(esp_netif_t *esp_netif, esp_netif_ip_info_t *ip_info)
{
    (void)esp_netif;
    ip_info->ip.addr = 0x0104a8c0;
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_stop(esp_netif_t *esp_netif)
{
    (void)esp_netif;
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_option(esp_netif_t *esp_netif, esp_netif_dhcp_option_mode_t mode,
                                 esp_netif_dhcp_option_id_t id, void *value, uint32_t length)
{
    (void)esp_netif;
    (void)mode;
    (void)id;
    (void)value;
    (void)length;
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_start(esp_netif_t *esp_netif)
{
    (void)esp_netif;
    return ESP_OK;
}

/* ---- the modules behind the handlers ---- */

const char *device_identity_id(void)
{
    return "d";
}

void device_clock_offer(int64_t unix_seconds)
{
    MUST(unix_seconds > 0);
}

bool device_store_has_certificate(void)
{
    return s_request.store_fails;
}

esp_err_t device_store_save_pending(const provisioning_t *pending)
{
    MUST(pending->wifi.ssid[0] != '\0');
    s_request.saved++;
    return s_request.store_fails ? ESP_FAIL : ESP_OK;
}

bool prov_post(const prov_msg_t *msg)
{
    MUST(msg->event < PROV_EVENT_COUNT);
    s_request.posted++;
    return true;
}

bool prov_post_event(prov_event_id_t event)
{
    return prov_post(&(prov_msg_t){.event = event});
}

void esp_restart(void)
{
    abort(); /* only when prov_post() fails, and here it does not */
}

esp_err_t wifi_scan_list(wifi_network_t *out, size_t *count)
{
    *count = s_request.in_pieces ? 1 : 0;
    snprintf(out[0].ssid, sizeof out[0].ssid, "%s", INJECTED "\"\\Gr\xc3\xb6\xc3\x9f" "e");
    return s_request.store_fails ? ESP_ERR_NOT_FOUND : ESP_OK;
}

/* ---- the target ---- */

static void publish_state(uint8_t choice)
{
    prov_status_t status = {.state = choice % PROV_STATE_COUNT, .certificate = (choice & 0x10) != 0};
    status.failure = (choice & 0x20) != 0 ? PROV_FAILURE_WIFI_WRONG_PASSWORD : PROV_FAILURE_NONE;
    status.ip = (choice & 0x40) != 0 ? 0x0102a8c0 : 0;
    prov_status_set(&status, true);
}

static void check_outcome(const httpd_uri_t *handler, esp_err_t result)
{
    MUST(s_request.answers == 1 || (s_request.answers == 0 && result != ESP_OK));
    MUST(s_request.answers == 0 || (s_request.status >= 200 && s_request.status <= 503));
    if (handler == NULL || handler->method == HTTP_GET) {
        MUST(s_request.saved == 0);
    }
    if (s_request.is_foreign || s_request.is_crossing) {
        MUST(s_request.answers == 0 || s_request.status == 303 || s_request.status == 403 || handler == NULL);
    }
    /* A body that cannot be read is none that says anything. */
    if (s_request.is_foreign || s_request.is_crossing || s_request.is_coded || s_request.is_huge) {
        MUST(s_request.saved == 0 && s_request.posted == 0);
    }
    /* Saved, or refused with an error: never both, never neither. */
    bool is_stored = s_request.saved > 0 && !s_request.store_fails;
    MUST(!is_stored || s_request.status == 200 || s_request.status == 303);
    MUST(!is_stored || s_request.posted == 1);
    MUST(s_request.saved <= 1 && s_request.posted <= 1);
}

static void read_request(input_t *input)
{
    memset(&s_request, 0, offsetof(request_t, answer));
    s_request.answer_size = 0;
    uint8_t flags = take_byte(input);
    s_request.type = flags & 3;
    s_request.in_pieces = (flags & 4) != 0;
    s_request.is_slow = (flags & 8) != 0;
    s_request.goes_away = (flags & 16) != 0;
    s_request.store_fails = (flags & 32) != 0;
    if ((flags & 64) != 0) {
        s_request.authorization = take_text(input, take_byte(input) * 5u);
    }
    s_request.is_foreign = (flags & 128) != 0;
    s_request.body = *input;
    s_request.deadline_ms = g_uptime_ms + 4000;
    snprintf(s_request.length_text, sizeof s_request.length_text, "%zu", s_request.body.left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool s_is_started;
    if (!s_is_started) {
        MUST(prov_status_init() == ESP_OK && http_api_start() == ESP_OK && s_handler_count > 0);
        captive_portal_init(NULL);
        s_is_started = true;
    }
    input_t input = {.at = data, .left = size};
    g_uptime_ms += 600000; /* so that the rate limit does not remember the inputs before */
    uint8_t choice = take_byte(&input);
    size_t routes = s_handler_count + HTTPD_ERR_CODE_MAX;
    size_t route = choice % routes;
    uint8_t state = take_byte(&input);
    publish_state(state);
    read_request(&input);
    s_request.is_crossing = (state & 0x80) != 0;
    s_request.is_coded = choice / routes == 1;
    s_request.is_huge = choice / routes == 2;

    static httpd_req_t request;
    memset((void *)&request, 0, sizeof request);
    request.handle = s_handlers;
    request.content_len = s_request.is_coded || s_request.is_huge ? 0 : s_request.body.left;
    if (route < s_handler_count) {
        request.user_ctx = s_handlers[route].user_ctx;
        request.method = s_handlers[route].method;
        memcpy((char *)request.uri, s_handlers[route].uri, strlen(s_handlers[route].uri) + 1);
        check_outcome(&s_handlers[route], s_handlers[route].handler(&request));
    } else if (s_on_error[route - s_handler_count] != NULL) {
        httpd_err_code_t code = (httpd_err_code_t)(route - s_handler_count);
        check_outcome(NULL, s_on_error[code](&request, code));
    }
    prov_status_unclaim();
    free(s_request.authorization);
    return 0;
}
