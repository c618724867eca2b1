#include "http_response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_response_begin(http_response_t *response, bool has_no_body)
{
    memset(response, 0, sizeof *response);
    response->has_no_body = has_no_body;
    response->content_length = -1;
    response->is_keep_alive = true;
}

bool http_response_has_head(const http_response_t *response)
{
    return response->state > HTTP_RESPONSE_HEADERS;
}

static void parse_status(http_response_t *response)
{
    const char *line = response->line;
    bool is_valid = strncmp(line, "HTTP/1.", 7) == 0 && strlen(line) >= 12 && line[8] == ' ';
    response->status = is_valid ? atoi(line + 9) : 0;
    response->is_keep_alive = is_valid && line[7] == '1';
    response->state = response->status >= 100 ? HTTP_RESPONSE_HEADERS : HTTP_RESPONSE_BROKEN;
}

static void begin_body(http_response_t *response)
{
    bool is_bodiless = response->has_no_body || response->status == 204 || response->status == 304;
    if (response->status < 200) {
        response->state = HTTP_RESPONSE_STATUS; /* 100 Continue: the real answer follows */
    } else if (is_bodiless || response->content_length == 0) {
        response->state = HTTP_RESPONSE_DONE;
    } else if (response->is_chunked) {
        response->state = HTTP_RESPONSE_CHUNK_SIZE;
    } else {
        response->remaining = response->content_length < 0 ? INT64_MAX : response->content_length;
        response->state = HTTP_RESPONSE_BODY;
    }
}

static void parse_header(http_response_t *response, const http_response_sink_t *sink)
{
    if (response->line_length == 0) {
        begin_body(response);
        return;
    }
    char *colon = strchr(response->line, ':');
    if (colon == NULL) {
        response->state = HTTP_RESPONSE_BROKEN;
        return;
    }
    *colon = '\0';
    char *key = response->line;
    char *value = colon + 1 + strspn(colon + 1, " \t");
    if (strcasecmp(key, "Content-Length") == 0) {
        response->content_length = strtoll(value, NULL, 10);
    } else if (strcasecmp(key, "Transfer-Encoding") == 0) {
        response->is_chunked = strcasecmp(value, "chunked") == 0;
    } else if (strcasecmp(key, "Connection") == 0) {
        response->is_keep_alive = strcasecmp(value, "close") != 0;
    }
    sink->on_header(sink->owner, key, value);
}

static void parse_chunk_size(http_response_t *response)
{
    char *end;
    response->remaining = strtoll(response->line, &end, 16);
    if (end == response->line || response->remaining < 0) {
        response->state = HTTP_RESPONSE_BROKEN;
    } else {
        response->state =
            response->remaining == 0 ? HTTP_RESPONSE_TRAILERS : HTTP_RESPONSE_CHUNK_DATA;
    }
}

static void parse_line(http_response_t *response, const http_response_sink_t *sink)
{
    switch (response->state) {
    case HTTP_RESPONSE_STATUS:
        parse_status(response);
        break;
    case HTTP_RESPONSE_HEADERS:
        parse_header(response, sink);
        break;
    case HTTP_RESPONSE_CHUNK_SIZE:
        parse_chunk_size(response);
        break;
    case HTTP_RESPONSE_CHUNK_END:
        response->state = HTTP_RESPONSE_CHUNK_SIZE;
        break;
    case HTTP_RESPONSE_TRAILERS:
        if (response->line_length == 0) {
            response->state = HTTP_RESPONSE_DONE;
        }
        break;
    default:
        break;
    }
    response->line_length = 0;
}

static void take_line_byte(http_response_t *response, char byte, const http_response_sink_t *sink)
{
    if (byte == '\n') {
        bool has_cr = response->line_length > 0 && response->line[response->line_length - 1] == '\r';
        response->line_length -= has_cr ? 1 : 0;
        response->line[response->line_length] = '\0';
        parse_line(response, sink);
    } else if (response->line_length + 1 < sizeof response->line) {
        response->line[response->line_length++] = byte;
    } else {
        response->state = HTTP_RESPONSE_BROKEN;
    }
}

static size_t take_body(http_response_t *response, char *data, size_t length,
                        const http_response_sink_t *sink)
{
    size_t taken = (int64_t)length < response->remaining ? length : (size_t)response->remaining;
    response->remaining -= (int64_t)taken;
    response->received += (int64_t)taken;
    sink->on_body(sink->owner, data, taken);
    if (response->remaining == 0) {
        response->state = response->state == HTTP_RESPONSE_BODY ? HTTP_RESPONSE_DONE
                                                                : HTTP_RESPONSE_CHUNK_END;
    }
    return taken;
}

void http_response_feed(http_response_t *response, char *data, size_t length,
                        const http_response_sink_t *sink)
{
    size_t used = 0;
    while (used < length && response->state < HTTP_RESPONSE_DONE) {
        bool is_data = response->state == HTTP_RESPONSE_BODY ||
                       response->state == HTTP_RESPONSE_CHUNK_DATA;
        if (is_data) {
            used += take_body(response, data + used, length - used, sink);
        } else {
            take_line_byte(response, data[used++], sink);
        }
    }
}

void http_response_end(http_response_t *response)
{
    bool is_until_end = response->state == HTTP_RESPONSE_BODY && response->content_length < 0;
    if (is_until_end) {
        response->state = HTTP_RESPONSE_DONE;
    }
}
