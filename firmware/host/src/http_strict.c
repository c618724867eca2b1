#include "http_strict.h"

#include <string.h>

#include "http_strict_priv.h"

static bool has_failed(const http_strict_t *strict)
{
    return HTTP_PARSER_ERRNO(&strict->parser) != HPE_OK;
}

/* ---- callbacks: the library's pointers into the copy become the caller's ---- */

#define FORWARD(name)                                                                                                  \
    static int name(http_parser *parser, const char *at, size_t length)                                                \
    {                                                                                                                  \
        const http_strict_t *strict = (const http_strict_t *)parser;                                                   \
        const char *given = strict->original != NULL ? strict->original + (at - strict->copy) : at;                    \
        return strict->settings->name != NULL ? strict->settings->name(parser, given, length) : 0;                     \
    }
FORWARD(on_url)
FORWARD(on_header_field)
FORWARD(on_header_value)
FORWARD(on_body)

static int on_headers_complete(http_parser *parser)
{
    http_strict_t *strict = (http_strict_t *)parser;
    parser->content_length = strict->length;
    parser->flags |= (unsigned)(strict->has_length ? F_CONTENTLENGTH : 0) | (unsigned)(strict->is_chunked ? F_CHUNKED : 0);
    bool does_upgrade = (parser->flags & F_UPGRADE) != 0 && (parser->flags & F_CONNECTION_UPGRADE) != 0;
    parser->upgrade = does_upgrade || parser->method == HTTP_CONNECT;
    return strict->settings->on_headers_complete != NULL ? strict->settings->on_headers_complete(parser) : 0;
}

static int on_message_complete(http_parser *parser)
{
    http_strict_t *strict = (http_strict_t *)parser;
    strict->is_complete = true;
    strict->is_dead = http_should_keep_alive(parser) == 0;
    return strict->settings->on_message_complete != NULL ? strict->settings->on_message_complete(parser) : 0;
}

#define NOTIFY(name)                                                                                                   \
    static int name(http_parser *parser)                                                                               \
    {                                                                                                                  \
        const http_strict_t *strict = (const http_strict_t *)parser;                                                   \
        return strict->settings->name != NULL ? strict->settings->name(parser) : 0;                                    \
    }
NOTIFY(on_message_begin)
NOTIFY(on_chunk_header)
NOTIFY(on_chunk_complete)

static const http_parser_settings FORWARDED = {
    .on_message_begin = on_message_begin, .on_url = on_url, .on_header_field = on_header_field,
    .on_header_value = on_header_value, .on_headers_complete = on_headers_complete, .on_body = on_body,
    .on_message_complete = on_message_complete, .on_chunk_header = on_chunk_header, .on_chunk_complete = on_chunk_complete,
};

/* ---- feeding the library ---- */

/* How many bytes of the copy it took. */
static size_t flush(http_strict_t *strict)
{
    size_t length = strict->copied;
    strict->copied = 0;
    return length > 0 ? http_parser_execute(&strict->parser, &FORWARDED, strict->copy, length) : 0;
}

static bool is_version_end(const http_strict_t *strict, char byte)
{
    bool is_response = strict->parser.type == HTTP_RESPONSE;
    return strict->state == MINOR && (is_response ? byte == ' ' : byte == '\r' || byte == '\n');
}

static int end_version(http_strict_t *strict, char byte)
{
    static const char REST[] = "TTP/1.1"; /* the H it has seen */
    flush(strict);
    http_parser_execute(&strict->parser, &FORWARDED, REST, sizeof REST - 1);
    strict->parser.http_major = (unsigned short)strict->version[0];
    strict->parser.http_minor = (unsigned short)strict->version[1];
    strict->state = byte == ' ' ? STATUS : byte == '\r' ? STATUS_LF : FIELD_START;
    return PASS;
}

/* What comes after the part of a message that `state` says has ended. */
static void go_on(http_strict_t *strict)
{
    if (strict->is_complete) {
        strict->state = START;
    } else if (strict->state == BODY && strict->is_chunked && !strict->is_trailing) {
        strict->state = CHUNK_SIZE;
    } else if (strict->state == CHUNK_DATA && strict->parser.content_length == 0) {
        strict->is_trailing = true;
        strict->state = FIELD_START;
    }
}

/* The library sees what came before, and then what it refuses too: so no callback is told of half a name or value. */
static void give_up(http_strict_t *strict)
{
    static const char REFUSED[] = "\1\1"; /* the first byte of a value it takes as it is */
    size_t length = strict->copied;
    bool is_in_data = strict->state == URL || strict->state == FIELD || strict->state == VALUE;
    memcpy(strict->copy + length, REFUSED, is_in_data ? 2 : 0);
    strict->copied += is_in_data ? 2 : 0;
    if (flush(strict) >= length) {
        strict->parser.http_errno = strict->refusal;
    }
}

/* The bytes of a head, or of a line between chunks, up to where the library has to be asked how it goes on. */
static size_t take_lines(http_strict_t *strict, const char *data, size_t length, bool is_buffer_start)
{
    size_t at = 0;
    strict->original = data;
    while (at < length && strict->copied < HTTP_STRICT_COPY && strict->state != BODY && strict->state != CHUNK_DATA &&
           !has_failed(strict)) {
        unsigned char byte = (unsigned char)data[at];
        int judged = is_version_end(strict, data[at]) ? end_version(strict, data[at])
                                                      : http_strict_judge(strict, byte, is_buffer_start && at == 0);
        if (strict->refusal != HPE_OK) {
            give_up(strict);
            return at;
        }
        at++;
        if (judged == SKIP) {
            flush(strict);
            strict->original = data + at;
        } else {
            strict->copy[strict->copied++] = (char)(judged == PASS ? byte : judged);
        }
    }
    flush(strict);
    go_on(strict);
    return at;
}

static size_t take_body(http_strict_t *strict, const char *data, size_t length)
{
    size_t taken = length < strict->parser.content_length ? length : (size_t)strict->parser.content_length;
    if (strict->state == CHUNK_DATA && taken < length && data[taken] != '\r') {
        strict->parser.http_errno = HPE_STRICT; /* before a callback is told of the chunk */
        return 0;
    }
    strict->original = NULL;
    taken = http_parser_execute(&strict->parser, &FORWARDED, data, taken);
    if (strict->is_complete) {
        strict->state = START;
    } else if (strict->state == CHUNK_DATA && strict->parser.content_length == 0) {
        strict->state = CHUNK_DATA_CR;
    }
    return taken;
}

void http_strict_init(http_strict_t *strict, enum http_parser_type type)
{
    void *data = strict->parser.data;
    memset(strict, 0, sizeof *strict);
    strict->parser.data = data;
    http_parser_init(&strict->parser, type);
}

size_t http_strict_execute(http_strict_t *strict, const http_parser_settings *settings, const char *data, size_t length)
{
    strict->settings = settings;
    if (length == 0 || has_failed(strict)) {
        return http_parser_execute(&strict->parser, &FORWARDED, data, 0);
    }
    size_t taken = 0;
    bool is_over = false;
    while (taken < length && !is_over) {
        bool is_body = strict->state == BODY || strict->state == CHUNK_DATA;
        taken += is_body ? take_body(strict, data + taken, length - taken)
                         : take_lines(strict, data + taken, length - taken, taken == 0);
        is_over = has_failed(strict) || (strict->is_complete && strict->parser.upgrade);
    }
    return taken;
}

int http_strict_parse_url(const char *url, size_t length, int is_connect, struct http_parser_url *parts)
{
    for (size_t i = 0; i < length; i++) {
        if (url[i] == '\t' || url[i] == '\f' || (unsigned char)url[i] >= 0x80) {
            return 1;
        }
    }
    if (length == 0) {
        parts->port = parts->field_set = 0;
        return is_connect;
    }
    int flaw = http_parser_parse_url(url, length, is_connect, parts);
    const char *host = url + parts->field_data[UF_HOST].off;
    bool has_host = flaw == 0 && (parts->field_set & (1 << UF_HOST)) != 0;
    bool is_name = has_host && (host == url || host[-1] != '[');
    return flaw != 0 || (is_name && memchr(host, '_', parts->field_data[UF_HOST].len) != NULL);
}
