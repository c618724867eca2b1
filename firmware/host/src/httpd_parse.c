/*
 * The head of a request, read in blocks as ESP-IDF's server reads it, so that an overriding receive function sees the
 * same calls, and parsed by http_parser. The callbacks are those of ESP-IDF 5.5's httpd_parse.c, their oddities with
 * them: a request without any header is pushed back, and answered with 400 after its answer; so is a chunked body.
 */
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "httpd_priv.h"

static const char *TAG = "httpd_parse";

static httpd_parse_t *parse_of(http_parser *parser)
{
    return &((httpd_request_t *)parser->data)->parse;
}

static int fail(http_parser *parser, httpd_err_code_t error)
{
    parse_of(parser)->state = HTTPD_PARSE_FAILED;
    parse_of(parser)->error = error;
    return -1;
}

/* `most` is what sdkconfig says, and there is no room for more. */
static size_t limit_of(size_t configured, size_t most)
{
    return configured > 0 && configured < most ? configured : most;
}

static int verify_url(http_parser *parser)
{
    httpd_request_t *request = parser->data;
    const httpd_parse_t *parse = &request->parse;
    httpd_req_t *req = &request->req;
    req->method = (int)parser->method;
    if (parse->length >= sizeof req->uri) {
        return fail(parser, HTTPD_414_URI_TOO_LONG);
    }
    memcpy((char *)req->uri, parse->at, parse->length);
    if (parser->http_major != 1 || parser->http_minor > 1) {
        ESP_LOGW(TAG, "unsupported HTTP version = %d.%d", parser->http_major, parser->http_minor);
        return fail(parser, HTTPD_505_VERSION_NOT_SUPPORTED);
    }
    bool is_connect = req->method == HTTP_CONNECT;
    return http_strict_parse_url(req->uri, parse->length, is_connect, &request->url) == 0
               ? 0
               : fail(parser, HTTPD_400_BAD_REQUEST);
}

static void begin_data(httpd_parse_t *parse, httpd_parse_state_t state, const char *at)
{
    parse->state = state;
    parse->at = (char *)at;
    parse->length = 0;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    httpd_request_t *request = parser->data;
    if (request->parse.state == HTTPD_PARSE_IDLE) {
        begin_data(&request->parse, HTTPD_PARSE_URL, at);
    }
    request->parse.length += length;
    size_t limit = limit_of(request->server->config.max_uri_len, ESP_HOST_HTTPD_MAX_URI_LEN);
    return request->parse.length > limit ? fail(parser, HTTPD_414_URI_TOO_LONG) : 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t length)
{
    httpd_request_t *request = parser->data;
    httpd_parse_t *parse = &request->parse;
    if (parse->state == HTTPD_PARSE_URL) {
        if (verify_url(parser) != 0) {
            return -1;
        }
        request->fields = at;
        parse->limit = (size_t)(at - request->head) +
                       limit_of(request->server->config.max_req_hdr_len, ESP_HOST_HTTPD_MAX_REQ_HDR_LEN);
        begin_data(parse, HTTPD_PARSE_FIELD, at);
    } else if (parse->state == HTTPD_PARSE_VALUE) {
        char *end = parse->at + parse->length;
        memset(end, '\0', (size_t)(at - end));
        request->field_count++;
        begin_data(parse, HTTPD_PARSE_FIELD, at);
    } else if (parse->state != HTTPD_PARSE_FIELD) {
        return fail(parser, HTTPD_500_INTERNAL_SERVER_ERROR); /* trailers */
    }
    parse->length += length;
    return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    httpd_parse_t *parse = parse_of(parser);
    if (parse->state == HTTPD_PARSE_FIELD) {
        begin_data(parse, HTTPD_PARSE_VALUE, at);
        if (length == 0) { /* then `at` is behind the line */
            while (*--parse->at != ':') {
            }
            parse->at += 1 + strspn(parse->at + 1, " ");
        }
    }
    ESP_LOGD(TAG, "processing value = %.*s", (int)length, at); /* as ESP-IDF does: whoever debugs sees secrets */
    parse->length += length;
    return 0;
}

/* The line ends behind the last header become NUL. Where the head ends, for the server. */
static char *end_of_head(const httpd_request_t *request)
{
    char *at = request->parse.at + request->parse.length;
    const char *end = request->head + request->parse.filled;
    for (int line_ends = 0; at < end && line_ends < 2; at++) {
        line_ends += *at == '\n' ? 1 : 0;
        *at = '\0';
    }
    return at;
}

static int on_headers_complete(http_parser *parser)
{
    httpd_request_t *request = parser->data;
    httpd_parse_t *parse = &request->parse;
    if (parse->state == HTTPD_PARSE_URL) {
        if (verify_url(parser) != 0) {
            return -1;
        }
    } else {
        parse->at = end_of_head(request);
        request->field_count++;
    }
    /* A size_t has 32 bits on the chip. */
    request->req.content_len = (int)parser->content_length != -1 ? (uint32_t)parser->content_length : 0;
    if (parser->upgrade) {
        return fail(parser, HTTPD_400_BAD_REQUEST);
    }
    parse->state = HTTPD_PARSE_BODY;
    request->remaining = request->req.content_len;
    return 0;
}

/* What was received from `at` on waits for whoever receives next. */
static int stop_at(http_parser *parser, const char *at)
{
    httpd_request_t *request = parser->data;
    httpd_session_t *session = request->session;
    size_t rest = (size_t)(request->head + request->parse.filled - at);
    if (rest > sizeof session->pending) {
        return fail(parser, HTTPD_500_INTERNAL_SERVER_ERROR);
    }
    memcpy(session->pending, at, rest);
    session->pending_length = rest;
    request->parse.state = HTTPD_PARSE_COMPLETE;
    http_parser_pause(parser, 1);
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    (void)length;
    return stop_at(parser, at);
}

static int on_message_complete(http_parser *parser)
{
    return stop_at(parser, parse_of(parser)->at);
}

/* As recv(); what waits in the session comes first, and alone. */
static int receive(httpd_request_t *request, char *block, size_t size)
{
    httpd_session_t *session = request->session;
    size_t waiting = session->pending_length < size ? session->pending_length : size;
    if (waiting > 0) {
        memcpy(block, session->pending, waiting);
        session->pending_length -= waiting;
        memmove(session->pending, session->pending + waiting, session->pending_length);
        return (int)waiting;
    }
    return session->recv_fn(request->server, session->fd, block, size, 0);
}

static httpd_err_code_t error_when_full(httpd_parse_state_t state)
{
    bool is_header = state == HTTPD_PARSE_FIELD || state == HTTPD_PARSE_VALUE;
    return state == HTTPD_PARSE_URL ? HTTPD_414_URI_TOO_LONG
           : is_header              ? HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE
                                    : HTTPD_500_INTERNAL_SERVER_ERROR;
}

static void parse_block(httpd_request_t *request, size_t length)
{
    static const http_parser_settings CALLBACKS = {
        .on_url = on_url, .on_header_field = on_header_field, .on_header_value = on_header_value,
        .on_headers_complete = on_headers_complete, .on_body = on_body, .on_message_complete = on_message_complete};
    httpd_parse_t *parse = &request->parse;
    const char *block = request->head + parse->filled;
    parse->filled += length;
    http_strict_execute(&parse->parser, &CALLBACKS, block, length);
    enum http_errno error = HTTP_PARSER_ERRNO(&parse->parser.parser);
    if (error != HPE_OK && error != HPE_PAUSED && parse->state != HTTPD_PARSE_FAILED) {
        ESP_LOGW(TAG, "parser error = %s", http_errno_name(error));
        fail(&parse->parser.parser, HTTPD_400_BAD_REQUEST);
    }
}

esp_err_t httpd_parse_request(httpd_request_t *request)
{
    httpd_parse_t *parse = &request->parse;
    parse->limit = limit_of(request->server->config.max_uri_len, ESP_HOST_HTTPD_MAX_URI_LEN);
    parse->parser.parser.data = request;
    http_strict_init(&parse->parser, HTTP_REQUEST);
    while (parse->state != HTTPD_PARSE_COMPLETE && parse->state != HTTPD_PARSE_FAILED) {
        size_t room = parse->limit - parse->filled;
        if (room == 0) {
            fail(&parse->parser.parser, error_when_full(parse->state));
            break;
        }
        int got = receive(request, request->head + parse->filled, room < HTTPD_BLOCK ? room : HTTPD_BLOCK);
        bool is_late = got == HTTPD_SOCK_ERR_TIMEOUT;
        if (got <= 0 && (!is_late || httpd_dispatch_error(request, HTTPD_408_REQ_TIMEOUT) != ESP_OK)) {
            return ESP_FAIL;
        }
        if (got > 0) {
            parse_block(request, (size_t)got);
        }
    }
    return parse->state == HTTPD_PARSE_COMPLETE ? httpd_dispatch(request) : httpd_dispatch_error(request, parse->error);
}
