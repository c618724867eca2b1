/* What a handler can do with a request: read it and answer it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "esp_log.h"
#include "httpd_priv.h"

static const char *TAG = "httpd_txrx";

static httpd_request_t *request_of(httpd_req_t *r)
{
    return r->aux;
}

static int error_of_errno(void)
{
    switch (errno) {
    case EAGAIN:
    case EINTR:
        return HTTPD_SOCK_ERR_TIMEOUT;
    case EINVAL:
    case EBADF:
    case EFAULT:
    case ENOTSOCK:
        return HTTPD_SOCK_ERR_INVALID;
    default:
        return HTTPD_SOCK_ERR_FAIL;
    }
}

int httpd_default_recv(httpd_handle_t hd, int sockfd, char *buf, size_t buf_len, int flags)
{
    (void)hd;
    int got = (int)recv(sockfd, buf, buf_len, flags);
    return got < 0 ? error_of_errno() : got;
}

int httpd_default_send(httpd_handle_t hd, int sockfd, const char *buf, size_t buf_len, int flags)
{
    (void)hd;
    int sent = (int)send(sockfd, buf, buf_len, flags);
    return sent < 0 ? error_of_errno() : sent;
}

int httpd_req_to_sockfd(httpd_req_t *r)
{
    return r != NULL ? request_of(r)->session->fd : -1;
}

/* What came with the head first, then, unless that was all that is wanted, what the connection brings. */
static int receive(httpd_request_t *request, char *buf, size_t length)
{
    httpd_session_t *session = request->session;
    size_t pending = session->pending_length < length ? session->pending_length : length;
    memcpy(buf, session->pending, pending);
    session->pending_length -= pending;
    memmove(session->pending, session->pending + pending, session->pending_length);
    if (pending == length) {
        return (int)pending;
    }
    int got = session->recv_fn(request->server, session->fd, buf + pending, length - pending, 0);
    if (got < 0) {
        return got == HTTPD_SOCK_ERR_TIMEOUT && pending > 0 ? (int)pending : got;
    }
    return got + (int)pending;
}

int httpd_req_recv(httpd_req_t *r, char *buf, size_t buf_len)
{
    if (r == NULL || buf == NULL) {
        return HTTPD_SOCK_ERR_INVALID;
    }
    httpd_request_t *request = request_of(r);
    size_t length = buf_len < request->remaining ? buf_len : request->remaining;
    length = length < HTTPD_MAX_RECV ? length : HTTPD_MAX_RECV;
    if (length == 0) {
        return 0;
    }
    int got = receive(request, buf, length);
    request->remaining -= got > 0 ? (size_t)got : 0;
    return got;
}

/* NULL when there is none. As ESP-IDF walks through them: a NUL in a value begins the next header. */
static const char *find_header(httpd_req_t *r, const char *field)
{
    const httpd_request_t *request = request_of(r);
    const char *at = request->fields;
    for (size_t left = request->field_count; left > 0; left--) {
        const char *colon = strchr(at, ':');
        if (colon == NULL) {
            return NULL;
        }
        if ((size_t)(colon - at) == strlen(field) && strncasecmp(at, field, strlen(field)) == 0) {
            return colon + 1 + strspn(colon + 1, " ");
        }
        at += strlen(at);
        while (left > 1 && *at == '\0') {
            at++;
        }
    }
    return NULL;
}

size_t httpd_req_get_hdr_value_len(httpd_req_t *r, const char *field)
{
    const char *value = r != NULL && field != NULL ? find_header(r, field) : NULL;
    return value != NULL ? strlen(value) : 0;
}

esp_err_t httpd_req_get_hdr_value_str(httpd_req_t *r, const char *field, char *val, size_t val_size)
{
    if (r == NULL || field == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const char *value = find_header(r, field);
    if (value == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    int length = snprintf(val, val_size, "%s", value);
    return (size_t)length < val_size ? ESP_OK : ESP_ERR_HTTPD_RESULT_TRUNC;
}

/* A line break in a header would let its value write further headers. */
static bool has_line_break(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

esp_err_t httpd_resp_set_status(httpd_req_t *r, const char *status)
{
    if (r == NULL || status == NULL || has_line_break(status)) {
        return ESP_ERR_INVALID_ARG;
    }
    request_of(r)->status = status;
    return ESP_OK;
}

esp_err_t httpd_resp_set_type(httpd_req_t *r, const char *type)
{
    if (r == NULL || type == NULL || has_line_break(type)) {
        return ESP_ERR_INVALID_ARG;
    }
    request_of(r)->type = type;
    return ESP_OK;
}

esp_err_t httpd_resp_set_hdr(httpd_req_t *r, const char *field, const char *value)
{
    if (r == NULL || field == NULL || value == NULL || has_line_break(field) ||
        has_line_break(value)) {
        return ESP_ERR_INVALID_ARG;
    }
    httpd_request_t *request = request_of(r);
    if (request->header_count >= request->server->config.max_resp_headers) {
        return ESP_ERR_HTTPD_RESP_HDR;
    }
    request->headers[request->header_count].name = field;
    request->headers[request->header_count].value = value;
    request->header_count++;
    return ESP_OK;
}

/* ---- answers ---- */

static esp_err_t send_all(httpd_request_t *request, const char *data, size_t length)
{
    httpd_session_t *session = request->session;
    while (length > 0 && !request->is_lost) {
        int sent = session->send_fn(request->server, session->fd, data, length, 0);
        if (sent < 0) {
            return ESP_ERR_HTTPD_RESP_SEND;
        }
        data += sent;
        length -= (size_t)sent;
    }
    return ESP_OK;
}

/* The head of an answer; `framing` is the line that says how long its body is. */
static esp_err_t send_head(httpd_request_t *request, const char *framing)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return ESP_ERR_HTTPD_ALLOC_MEM;
    }
    fprintf(out, "HTTP/1.1 %s\r\nContent-Type: %s\r\n%s\r\n", request->status, request->type, framing);
    for (size_t i = 0; i < request->header_count; i++) {
        fprintf(out, "%s: %s\r\n", request->headers[i].name, request->headers[i].value);
    }
    fputs("\r\n", out);
    fclose(out);
    request->has_answered = true;
    request->field_count = 0; /* as ESP-IDF does: the buffer is its own again */
    esp_err_t err = send_all(request, text, size);
    free(text);
    return err;
}

static size_t length_of(const char *buf, ssize_t buf_len)
{
    if (buf == NULL) {
        return 0;
    }
    return buf_len == HTTPD_RESP_USE_STRLEN ? strlen(buf) : (size_t)buf_len;
}

esp_err_t httpd_resp_send(httpd_req_t *r, const char *buf, ssize_t buf_len)
{
    if (r == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    httpd_request_t *request = request_of(r);
    if (request->has_answered) {
        ESP_LOGE(TAG, "a second answer to one request");
        return ESP_ERR_HTTPD_RESP_SEND;
    }
    size_t length = length_of(buf, buf_len);
    char framing[48];
    snprintf(framing, sizeof framing, "Content-Length: %zu", length);
    esp_err_t err = send_head(request, framing);
    return err == ESP_OK ? send_all(request, buf, length) : err;
}

esp_err_t httpd_resp_send_chunk(httpd_req_t *r, const char *buf, ssize_t buf_len)
{
    if (r == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    httpd_request_t *request = request_of(r);
    size_t length = length_of(buf, buf_len);
    char size[24];
    snprintf(size, sizeof size, "%zx\r\n", length);
    esp_err_t err = request->has_answered ? ESP_OK : send_head(request, "Transfer-Encoding: chunked");
    if (err == ESP_OK) {
        err = send_all(request, size, strlen(size));
    }
    if (err == ESP_OK) {
        err = send_all(request, buf, length);
    }
    return err == ESP_OK ? send_all(request, "\r\n", 2) : err;
}

static const struct {
    const char *status;
    const char *message;
} ERRORS[HTTPD_ERR_CODE_MAX] = {
    [HTTPD_500_INTERNAL_SERVER_ERROR] = {"500 Internal Server Error", "Server has encountered an unexpected error"},
    [HTTPD_501_METHOD_NOT_IMPLEMENTED] = {"501 Method Not Implemented", "Server does not support this method"},
    [HTTPD_505_VERSION_NOT_SUPPORTED] = {"505 Version Not Supported", "HTTP version not supported by server"},
    [HTTPD_400_BAD_REQUEST] = {"400 Bad Request", "Bad request syntax"},
    [HTTPD_401_UNAUTHORIZED] = {"401 Unauthorized", "No permission -- see authorization schemes"},
    [HTTPD_403_FORBIDDEN] = {"403 Forbidden", "Request forbidden -- authorization will not help"},
    [HTTPD_404_NOT_FOUND] = {"404 Not Found", "Nothing matches the given URI"},
    [HTTPD_405_METHOD_NOT_ALLOWED] = {"405 Method Not Allowed", "Specified method is invalid for this resource"},
    [HTTPD_408_REQ_TIMEOUT] = {"408 Request Timeout", "Server closed this connection"},
    [HTTPD_411_LENGTH_REQUIRED] = {"411 Length Required", "Client must specify Content-Length"},
    [HTTPD_413_CONTENT_TOO_LARGE] = {"413 Content Too Large", "Content is too large"},
    [HTTPD_414_URI_TOO_LONG] = {"414 URI Too Long", "URI is too long"},
    [HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE] = {"431 Request Header Fields Too Large", "Header fields are too long"},
};

esp_err_t httpd_resp_send_err(httpd_req_t *req, httpd_err_code_t error, const char *msg)
{
    if (req == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (error >= HTTPD_ERR_CODE_MAX) {
        error = HTTPD_500_INTERNAL_SERVER_ERROR;
    }
    const char *text = msg != NULL ? msg : ERRORS[error].message;
    ESP_LOGW(TAG, "%s - %s", ERRORS[error].status, text);
    httpd_resp_set_status(req, ERRORS[error].status);
    httpd_resp_set_type(req, HTTPD_TYPE_TEXT);
    return httpd_resp_send(req, text, HTTPD_RESP_USE_STRLEN);
}
