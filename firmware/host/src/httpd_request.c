/* What a handler can do with a request: read it and answer it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "httpd_priv.h"

static const char *TAG = "httpd_txrx";

static httpd_request_t *request_of(httpd_req_t *r)
{
    return r->aux;
}

int httpd_req_recv(httpd_req_t *r, char *buf, size_t buf_len)
{
    if (r == NULL || buf == NULL) {
        return HTTPD_SOCK_ERR_INVALID;
    }
    httpd_request_t *request = request_of(r);
    if (request->is_body_refused) {
        return HTTPD_SOCK_ERR_FAIL;
    }
    size_t left = request->body_length - request->body_read;
    size_t length = buf_len < left ? buf_len : left;
    if (length > HTTPD_MAX_RECV) {
        length = HTTPD_MAX_RECV;
    }
    if (length > 0) {
        memcpy(buf, request->body + request->body_read, length);
        request->body_read += length;
    }
    return (int)length;
}

static const char *find_header(httpd_req_t *r, const char *field)
{
    return MHD_lookup_connection_value(request_of(r)->connection, MHD_HEADER_KIND, field);
}

size_t httpd_req_get_hdr_value_len(httpd_req_t *r, const char *field)
{
    if (r == NULL || field == NULL || request_of(r)->has_answered) {
        return 0;
    }
    const char *value = find_header(r, field);
    return value != NULL ? strlen(value) : 0;
}

static esp_err_t copy_value(char *out, size_t size, const char *value, size_t length)
{
    if (size == 0) {
        return ESP_ERR_HTTPD_RESULT_TRUNC;
    }
    size_t copied = length < size - 1 ? length : size - 1;
    memcpy(out, value, copied);
    out[copied] = '\0';
    return copied < length ? ESP_ERR_HTTPD_RESULT_TRUNC : ESP_OK;
}

esp_err_t httpd_req_get_hdr_value_str(httpd_req_t *r, const char *field, char *val, size_t val_size)
{
    if (r == NULL || field == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    /* ESP-IDF drops the request's headers when the answer goes out. */
    const char *value = request_of(r)->has_answered ? NULL : find_header(r, field);
    if (value == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    return copy_value(val, val_size, value, strlen(value));
}

static const char *query_of(httpd_req_t *r)
{
    const char *mark = strchr(r->uri, '?');
    return mark != NULL ? mark + 1 : "";
}

size_t httpd_req_get_url_query_len(httpd_req_t *r)
{
    return r != NULL ? strcspn(query_of(r), "#") : 0;
}

esp_err_t httpd_req_get_url_query_str(httpd_req_t *r, char *buf, size_t buf_len)
{
    if (r == NULL || buf == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t length = httpd_req_get_url_query_len(r);
    return length > 0 ? copy_value(buf, buf_len, query_of(r), length) : ESP_ERR_NOT_FOUND;
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
    if (request->header_count >= request->daemon->server->config.max_resp_headers) {
        return ESP_ERR_HTTPD_RESP_HDR;
    }
    request->headers[request->header_count].field = field;
    request->headers[request->header_count].value = value;
    request->header_count++;
    return ESP_OK;
}

/* Make the response now: status, type and headers need not outlive this call. */
static esp_err_t answer(httpd_request_t *request, const char *data, size_t length)
{
    if (request->has_answered) {
        ESP_LOGE(TAG, "a second answer to one request");
        return ESP_ERR_HTTPD_RESP_SEND;
    }
    request->response =
        MHD_create_response_from_buffer(length, (void *)data, MHD_RESPMEM_MUST_COPY);
    if (request->response == NULL) {
        return ESP_ERR_HTTPD_ALLOC_MEM;
    }
    request->status_code = (unsigned)atoi(request->status);
    MHD_add_response_header(request->response, "Content-Type", request->type);
    for (size_t i = 0; i < request->header_count; i++) {
        MHD_add_response_header(request->response, request->headers[i].field,
                                request->headers[i].value);
    }
    request->has_answered = true;
    return ESP_OK;
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
    return answer(request_of(r), buf != NULL ? buf : "", length_of(buf, buf_len));
}

/* Chunks are collected: to the client, one answer is as good as several pieces of it. */
esp_err_t httpd_resp_send_chunk(httpd_req_t *r, const char *buf, ssize_t buf_len)
{
    if (r == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    httpd_request_t *request = request_of(r);
    size_t length = length_of(buf, buf_len);
    if (length == 0) {
        return answer(request, request->chunks != NULL ? request->chunks : "",
                      request->chunks_length);
    }
    if (request->chunks_length + length > HTTPD_MAX_RESPONSE) {
        return ESP_ERR_HTTPD_RESP_SEND;
    }
    char *chunks = realloc(request->chunks, request->chunks_length + length);
    if (chunks == NULL) {
        return ESP_ERR_HTTPD_ALLOC_MEM;
    }
    memcpy(chunks + request->chunks_length, buf, length);
    request->chunks = chunks;
    request->chunks_length += length;
    return ESP_OK;
}

static const struct {
    const char *status;
    const char *message;
} ERRORS[HTTPD_ERR_CODE_MAX] = {
    [HTTPD_500_INTERNAL_SERVER_ERROR] = {"500 Internal Server Error",
                                         "Server has encountered an unexpected error"},
    [HTTPD_501_METHOD_NOT_IMPLEMENTED] = {"501 Method Not Implemented",
                                          "Server does not support this method"},
    [HTTPD_505_VERSION_NOT_SUPPORTED] = {"505 Version Not Supported",
                                         "HTTP version not supported by server"},
    [HTTPD_400_BAD_REQUEST] = {"400 Bad Request", "Bad request syntax"},
    [HTTPD_401_UNAUTHORIZED] = {"401 Unauthorized",
                                "No permission -- see authorization schemes"},
    [HTTPD_403_FORBIDDEN] = {"403 Forbidden",
                             "Request forbidden -- authorization will not help"},
    [HTTPD_404_NOT_FOUND] = {"404 Not Found", "Nothing matches the given URI"},
    [HTTPD_405_METHOD_NOT_ALLOWED] = {"405 Method Not Allowed",
                                      "Specified method is invalid for this resource"},
    [HTTPD_408_REQ_TIMEOUT] = {"408 Request Timeout", "Server closed this connection"},
    [HTTPD_411_LENGTH_REQUIRED] = {"411 Length Required", "Client must specify Content-Length"},
    [HTTPD_413_CONTENT_TOO_LARGE] = {"413 Content Too Large", "Content is too large"},
    [HTTPD_414_URI_TOO_LONG] = {"414 URI Too Long", "URI is too long"},
    [HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE] = {"431 Request Header Fields Too Large",
                                            "Header fields are too long"},
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
