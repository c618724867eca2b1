/*
 * The head of a request, read in blocks as ESP-IDF's server reads it, so that an overriding receive function
 * sees the same calls. Refuses what ESP-IDF's parser (http_parser 2.7.0, strict) refuses, but for two things
 * that it leaves to the application, which has to judge them on the chip in other forms: a Content-Length
 * beyond 64 bits, and one beside a Transfer-Encoding.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_log.h"
#include "httpd_priv.h"

static const char *TAG = "httpd_parse";

/* ---- receiving ---- */

static int next_block(httpd_request_t *request, char *block)
{
    httpd_session_t *session = request->session;
    if (session->pending_length > 0) {
        int length = (int)session->pending_length;
        memcpy(block, session->pending, session->pending_length);
        session->pending_length = 0;
        return length;
    }
    return session->recv_fn(request->server, session->fd, block, HTTPD_BLOCK, 0);
}

/* The length of the head in `text`, its empty line included; 0 while that is not there. */
static size_t find_end(const char *text, size_t length)
{
    const char *end = memmem(text, length, "\r\n\r\n", 4);
    return end != NULL ? (size_t)(end - text) + 4 : 0;
}

static size_t max_uri(const httpd_request_t *request)
{
    size_t wanted = request->server->config.max_uri_len;
    return wanted > 0 ? wanted : ESP_HOST_HTTPD_MAX_URI_LEN;
}

static size_t max_headers(const httpd_request_t *request)
{
    size_t wanted = request->server->config.max_req_hdr_len;
    return wanted > 0 ? wanted : ESP_HOST_HTTPD_MAX_REQ_HDR_LEN;
}

/* Too long so far, whether or not the rest ever comes. */
static bool is_too_long(const httpd_request_t *request, httpd_err_code_t *error)
{
    static const size_t AROUND_URI = sizeof "OPTIONS  HTTP/1.1\r\n";
    const char *line_end = memchr(request->head, '\n', request->head_length);
    size_t line = line_end != NULL ? (size_t)(line_end - request->head) + 1 : request->head_length;
    if (line > max_uri(request) + AROUND_URI) {
        *error = HTTPD_414_URI_TOO_LONG;
        return true;
    }
    size_t end = find_end(request->head, request->head_length);
    *error = HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE;
    return (end > 0 ? end : request->head_length) - line > max_headers(request);
}

static esp_err_t receive(httpd_request_t *request, size_t *end, httpd_err_code_t *error)
{
    *end = 0;
    while (*end == 0) {
        char *block = request->head + request->head_length;
        int got = next_block(request, block);
        if (got <= 0) {
            *error = got == HTTPD_SOCK_ERR_TIMEOUT ? HTTPD_408_REQ_TIMEOUT : HTTPD_ERR_CODE_MAX;
            return ESP_FAIL;
        }
        request->head_length += (size_t)got;
        if (is_too_long(request, error)) {
            return ESP_FAIL;
        }
        *end = find_end(request->head, request->head_length);
    }
    httpd_session_t *session = request->session;
    session->pending_length = request->head_length - *end;
    memcpy(session->pending, request->head + *end, session->pending_length);
    request->head_length = *end;
    return ESP_OK;
}

/* ---- parsing ---- */

static int method_of(const char *name)
{
    static const struct {
        const char *name;
        httpd_method_t method;
    } METHODS[] = {
        {"DELETE", HTTP_DELETE}, {"GET", HTTP_GET},         {"HEAD", HTTP_HEAD},
        {"POST", HTTP_POST},     {"PUT", HTTP_PUT},         {"CONNECT", HTTP_CONNECT},
        {"TRACE", HTTP_TRACE},   {"OPTIONS", HTTP_OPTIONS}, {"PATCH", HTTP_PATCH},
    };
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        if (strcmp(name, METHODS[i].name) == 0) {
            return (int)METHODS[i].method;
        }
    }
    return -1;
}

const char *httpd_path_of(const char *uri)
{
    const char *authority = strstr(uri, "://");
    const char *query = uri + strcspn(uri, "?#");
    if (uri[0] == '/' || authority == NULL || authority > query) {
        return uri;
    }
    const char *path = strpbrk(authority + 3, "/?#");
    return path != NULL && *path == '/' ? path : "/";
}

static bool is_target(const char *uri)
{
    for (const char *at = uri; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f) {
            return false;
        }
    }
    return uri[0] == '/' || strcmp(uri, "*") == 0 || strncasecmp(uri, "http://", 7) == 0 ||
           strncasecmp(uri, "https://", 8) == 0;
}

static bool parse_request_line(httpd_request_t *request, char *line, httpd_err_code_t *error)
{
    *error = HTTPD_400_BAD_REQUEST;
    char *uri = strchr(line, ' ');
    char *version = uri != NULL ? strchr(uri + 1, ' ') : NULL;
    if (version == NULL) {
        return false;
    }
    *uri++ = '\0';
    *version++ = '\0';
    request->req.method = method_of(line);
    if (strlen(uri) > max_uri(request)) {
        *error = HTTPD_414_URI_TOO_LONG;
        return false;
    }
    if (request->req.method < 0 || !is_target(uri) || strncmp(version, "HTTP/", 5) != 0 ||
        !isdigit((unsigned char)version[5]) || version[6] != '.' || !isdigit((unsigned char)version[7]) ||
        version[8] != '\0') {
        return false;
    }
    memcpy((char *)request->req.uri, uri, strlen(uri) + 1);
    *error = HTTPD_505_VERSION_NOT_SUPPORTED;
    return version[5] == '1' || version[7] == '1';
}

static bool is_token(const char *name)
{
    static const char OTHERS[] = "!#$%&'*+-.^_`|~";
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr(OTHERS, *at) == NULL) {
            return false;
        }
    }
    return name[0] != '\0';
}

static bool is_value(const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f) {
            return false;
        }
    }
    return true;
}

/* As http_parser reads it: digits, and spaces that it does not mind. */
static bool read_length(const char *text, size_t *length)
{
    unsigned long long value = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == ' ') {
            continue;
        }
        if (!isdigit((unsigned char)*at)) {
            return false;
        }
        unsigned digit = (unsigned)(*at - '0');
        value = value > (SIZE_MAX - digit) / 10 ? SIZE_MAX : value * 10 + digit;
    }
    *length = (size_t)value;
    return true;
}

static bool parse_header(httpd_request_t *request, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || request->request_header_count == HTTPD_MAX_HEADERS) {
        return false;
    }
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    ESP_LOGD(TAG, "processing value = %s", value); /* as ESP-IDF does: whoever debugs sees secrets */
    if (!is_token(line) || !is_value(value)) {
        return false;
    }
    for (size_t i = 0; i < request->request_header_count; i++) {
        if (strcasecmp(line, "Content-Length") == 0 &&
            strcasecmp(request->request_headers[i].name, line) == 0) {
            return false;
        }
    }
    request->request_headers[request->request_header_count++] = (httpd_header_t){line, value};
    return strcasecmp(line, "Content-Length") != 0 || read_length(value, &request->req.content_len);
}

static bool is_chunked(const httpd_request_t *request)
{
    for (size_t i = 0; i < request->request_header_count; i++) {
        const httpd_header_t *header = &request->request_headers[i];
        if (strcasecmp(header->name, "Transfer-Encoding") == 0 && strcasecmp(header->value, "chunked") == 0) {
            return true;
        }
    }
    return false;
}

static bool parse(httpd_request_t *request, size_t end, httpd_err_code_t *error)
{
    *error = HTTPD_400_BAD_REQUEST;
    if (memchr(request->head, '\0', end) != NULL) {
        return false;
    }
    char *rest = request->head;
    request->head[end - 2] = '\0'; /* the empty line */
    char *line = strsep(&rest, "\n");
    for (bool is_first = true; line != NULL && *line != '\0'; line = strsep(&rest, "\n"), is_first = false) {
        char *carriage = strchr(line, '\r');
        if (carriage == NULL || carriage[1] != '\0') {
            *error = HTTPD_400_BAD_REQUEST;
            return false;
        }
        *carriage = '\0';
        if (!(is_first ? parse_request_line(request, line, error) : parse_header(request, line))) {
            return false;
        }
        *error = HTTPD_400_BAD_REQUEST;
    }
    /* In chunks, a body has no length for the application, whatever Content-Length says. */
    request->req.content_len = is_chunked(request) ? 0 : request->req.content_len;
    request->remaining = request->req.content_len;
    return request->req.uri[0] != '\0';
}

esp_err_t httpd_parse_head(httpd_request_t *request, httpd_err_code_t *error)
{
    size_t end;
    esp_err_t err = receive(request, &end, error);
    return err == ESP_OK && !parse(request, end, error) ? ESP_FAIL : err;
}
