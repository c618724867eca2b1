/* The host port's server on a connection's bytes, request after request: httpd_parse.c and http_parser below it. */
#include "esp_http_server.h"
#include "fuzz.h"
#include "host_air.h"
#include "httpd_priv.h"

static input_t s_input;
static uint8_t s_pieces;
static httpd_server_t s_server;

/* One thread. */
void host_monitor_init(host_monitor_t *monitor)
{
    (void)monitor;
}

void host_monitor_lock(host_monitor_t *monitor)
{
    (void)monitor;
}

void host_monitor_unlock(host_monitor_t *monitor)
{
    (void)monitor;
}

bool host_air_is_reply_lost(const char *call)
{
    MUST(call[0] != '\0');
    return false;
}

/* At most what is asked for, in pieces if the input wants it; then the end, or a silence and then the end. */
static int receive(httpd_handle_t hd, int sockfd, char *buf, size_t buf_len, int flags)
{
    (void)hd;
    (void)sockfd;
    (void)flags;
    size_t size = s_pieces == 0 ? buf_len : 1 + s_input.left % s_pieces;
    size = size < buf_len ? size : buf_len;
    size = size < s_input.left ? size : s_input.left;
    memcpy(buf, s_input.at, size);
    s_input.at += size;
    s_input.left -= size;
    return size > 0 || s_pieces % 2 == 0 ? (int)size : HTTPD_SOCK_ERR_TIMEOUT;
}

static int send_nowhere(httpd_handle_t hd, int sockfd, const char *buf, size_t buf_len, int flags)
{
    (void)hd;
    (void)sockfd;
    (void)flags;
    MUST(buf != NULL);
    return (int)buf_len;
}

static esp_err_t look(httpd_req_t *req)
{
    static const char *const FIELDS[] = {"Host", "Content-Type", "Transfer-Encoding", "X", ""};
    char value[64];
    MUST(strlen(req->uri) <= ESP_HOST_HTTPD_MAX_URI_LEN && req->content_len <= UINT32_MAX);
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
        size_t length = httpd_req_get_hdr_value_len(req, FIELDS[i]);
        MUST(length <= ESP_HOST_HTTPD_MAX_REQ_HDR_LEN);
        esp_err_t err = httpd_req_get_hdr_value_str(req, FIELDS[i], value, sizeof value);
        MUST(err != ESP_OK || strlen(value) == length);
    }
    size_t received = 0;
    int got;
    while ((got = httpd_req_recv(req, value, sizeof value)) > 0) {
        received += (size_t)got;
        MUST(received <= req->content_len);
    }
    return httpd_resp_send(req, "seen", HTTPD_RESP_USE_STRLEN);
}

static bool match_all(const char *reference, const char *uri, size_t length)
{
    (void)reference;
    return length > 0 && (uri[0] == '/' || uri[0] == '*');
}

static void start(void)
{
    static httpd_uri_t s_handlers[2];
    httpd_uri_t get = {.uri = "/", .method = HTTP_GET, .handler = look};
    httpd_uri_t post = {.uri = "/", .method = HTTP_POST, .handler = look};
    s_server.config = (httpd_config_t)HTTPD_DEFAULT_CONFIG();
    s_server.config.uri_match_fn = match_all;
    s_server.config.max_uri_handlers = 2;
    s_server.handlers = s_handlers;
    host_monitor_init(&s_server.monitor);
    MUST(httpd_register_uri_handler(&s_server, &get) == ESP_OK && httpd_register_uri_handler(&s_server, &post) == ESP_OK);
}

static bool serve(httpd_session_t *session)
{
    httpd_request_t *request = calloc(1, sizeof *request);
    httpd_header_t headers[9];
    MUST(request != NULL);
    request->server = &s_server;
    request->session = session;
    request->status = HTTPD_200;
    request->type = HTTPD_TYPE_TEXT;
    request->headers = headers;
    request->req.handle = &s_server;
    request->req.aux = request;
    bool is_kept = httpd_parse_request(request) == ESP_OK && request->remaining == 0;
    MUST(session->pending_length <= sizeof session->pending);
    free(request);
    return is_kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (s_server.handlers == NULL) {
        start();
    }
    s_input = (input_t){.at = data, .left = size};
    s_pieces = take_byte(&s_input);
    httpd_session_t session = {.fd = 1, .recv_fn = receive, .send_fn = send_nowhere};
    int served = 0;
    while (served < 64 && serve(&session)) {
        served++;
    }
    return 0;
}
