/* Lines as http_parser 2.7.0, strict, reads them. */
#include "http_strict_priv.h"

/* How 2.7.0 reads a header's value. GENERAL: it looks at one byte after the first, then skips the rest of the buffer. */
enum { GENERAL, CONNECTION, LENGTH, CODING, CHUNKED };

#define MATCH(name) (1 << (name))
static const char *const NAMES[] = {"connection", "proxy-connection", "content-length", "transfer-encoding"};
static const int KINDS[] = {CONNECTION, CONNECTION, LENGTH, CODING};
enum { NAME_COUNT = sizeof NAMES / sizeof NAMES[0] };

/* It counts once the library has seen all that comes before. */
static int refuse(http_strict_t *strict, enum http_errno error)
{
    strict->refusal = error;
    return SKIP;
}

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_control(unsigned char byte)
{
    return (byte < ' ' && byte != '\t') || byte == 0x7f;
}

static int begin(http_strict_t *strict, unsigned char byte)
{
    if (byte == '\r' || byte == '\n') {
        if (strict->parser.type == HTTP_RESPONSE && !strict->is_dead && strict->settings->on_message_begin != NULL) {
            strict->settings->on_message_begin(&strict->parser); /* 2.7.0 takes it for the beginning, and again what follows */
        }
        return PASS;
    }
    if (strict->is_dead) {
        return refuse(strict, HPE_CLOSED_CONNECTION);
    }
    strict->first = (char)byte;
    strict->index = 1;
    strict->has_length = strict->is_chunked = strict->is_trailing = strict->is_complete = false;
    strict->length = UINT64_MAX;
    bool is_request = strict->parser.type == HTTP_REQUEST;
    strict->state = is_request ? METHOD : byte == 'I' ? ICY : VERSION_NAME;
    return !is_request && byte == 'I' ? 'H' : PASS;
}

/* The version is read here, since 2.9.4 takes one digit on each side only; the library is told 1.1. */
static int version(http_strict_t *strict, unsigned char byte)
{
    static const char NAME[] = "HTTP/";
    static const char OLD_NAME[] = "ICY";
    if (strict->state == VERSION_NAME || strict->state == ICY) {
        const char *name = strict->state == ICY ? OLD_NAME : NAME;
        if (byte != (unsigned char)name[strict->index]) {
            return refuse(strict, HPE_STRICT);
        }
        if (name[++strict->index] == '\0') {
            strict->state = strict->state == ICY ? MINOR : MAJOR_FIRST;
        }
        return SKIP;
    }
    bool is_first = strict->state == MAJOR_FIRST || strict->state == MINOR_FIRST;
    if (strict->state == MAJOR && byte == '.') {
        strict->state = MINOR_FIRST;
        return SKIP;
    }
    bool is_zero_refused = strict->state == MAJOR_FIRST && strict->parser.type == HTTP_REQUEST;
    unsigned *number = &strict->version[strict->state == MAJOR_FIRST || strict->state == MAJOR ? 0 : 1];
    *number = (is_first ? 0 : *number * 10) + (unsigned)(byte - '0');
    if (!is_digit(byte) || (is_zero_refused && byte == '0') || *number > 999) {
        return refuse(strict, HPE_INVALID_VERSION);
    }
    strict->state += is_first ? 1 : 0;
    return SKIP;
}

static int request_line(http_strict_t *strict, unsigned char byte)
{
    if (strict->state == METHOD) {
        bool is_source = strict->index++ == 1 && strict->first == 'S' && byte == 'O'; /* a method that 2.7.0 does not know */
        strict->state = byte == ' ' ? BEFORE_URL : METHOD;
        return is_source ? refuse(strict, HPE_INVALID_METHOD) : PASS;
    }
    if (strict->state == BEFORE_VERSION) {
        strict->index = 1;
        strict->state = byte == 'H' ? VERSION_NAME : BEFORE_VERSION;
        return PASS;
    }
    if (byte == ' ') {
        strict->state = strict->state == URL ? BEFORE_VERSION : BEFORE_URL;
    } else if (byte == '\r' || byte == '\n') {
        strict->state = byte == '\r' ? STATUS_LF : FIELD_START;
    } else {
        strict->state = URL;
    }
    return byte == '\t' || byte == '\f' || byte >= 0x80 ? refuse(strict, HPE_INVALID_URL) : PASS;
}

static int field(http_strict_t *strict, unsigned char byte)
{
    if (byte == ' ') {
        return refuse(strict, HPE_INVALID_HEADER_TOKEN);
    }
    if (byte == ':') {
        strict->state = BEFORE_VALUE;
        return PASS;
    }
    if (strict->state == FIELD_START) {
        strict->index = 0;
        strict->match = MATCH(NAME_COUNT) - 1;
        strict->state = FIELD;
    }
    strict->kind = GENERAL;
    for (int i = 0; i < NAME_COUNT; i++) {
        bool is_like = (strict->match & MATCH(i)) != 0 && NAMES[i][strict->index] == (byte | 0x20);
        strict->match &= is_like ? ~0 : ~MATCH(i);
        if (is_like && NAMES[i][strict->index + 1] == '\0') {
            strict->kind = KINDS[i];
        }
    }
    strict->index++;
    if (strict->kind == LENGTH && strict->has_length) {
        return refuse(strict, HPE_UNEXPECTED_CONTENT_LENGTH);
    }
    strict->has_length = strict->has_length || strict->kind == LENGTH;
    /* What these two say is read here, so the library does not get to know them. */
    return strict->kind == LENGTH || strict->kind == CODING ? 'x' : PASS;
}

static int length_digit(http_strict_t *strict, unsigned char byte)
{
    if (byte == ' ' && strict->index > 0) {
        return PASS;
    }
    if (!is_digit(byte) || (strict->index > 0 && (UINT64_MAX - 10) / 10 < strict->length)) {
        return refuse(strict, strict->index > 0 && is_control(byte) ? HPE_INVALID_HEADER_TOKEN : HPE_INVALID_CONTENT_LENGTH);
    }
    strict->length = (strict->index > 0 ? strict->length * 10 : 0) + (unsigned)(byte - '0');
    return PASS;
}

static int value(http_strict_t *strict, unsigned char byte, bool is_buffer_start)
{
    static const char WORD[] = "chunked";
    size_t index = strict->index;
    int judged = PASS;
    strict->is_skipping = strict->is_skipping && !is_buffer_start;
    if (strict->kind == LENGTH) {
        judged = length_digit(strict, byte);
    } else if (strict->kind == GENERAL) {
        judged = is_control(byte) && strict->is_skipping ? 'x' : PASS;
        strict->is_skipping = index > 0;
    } else if (strict->kind == CHUNKED) {
        strict->kind = byte == ' ' ? CHUNKED : GENERAL;
    } else if (strict->kind == CODING) {
        bool is_like = index < sizeof WORD - 1 && (byte | 0x20) == WORD[index];
        strict->kind = !is_like ? GENERAL : index == sizeof WORD - 2 ? CHUNKED : CODING;
    }
    strict->index++;
    return judged;
}

static void value_begins(http_strict_t *strict)
{
    strict->index = 0;
    strict->is_skipping = false;
    strict->state = VALUE;
}

static int header_end(http_strict_t *strict, unsigned char byte)
{
    if (byte != '\n') {
        return refuse(strict, HPE_STRICT);
    }
    if (!strict->is_trailing && strict->is_chunked && strict->has_length) {
        return refuse(strict, HPE_UNEXPECTED_CONTENT_LENGTH);
    }
    strict->state = BODY;
    return PASS;
}

/* After a line's end: does the value go on there? */
static int fold(http_strict_t *strict, unsigned char byte)
{
    bool goes_on = byte == ' ' || byte == '\t';
    if (strict->state == EMPTY_END && goes_on) {
        strict->state = BEFORE_VALUE;
        return PASS;
    }
    if (goes_on) {
        value_begins(strict);
        strict->kind = strict->kind == LENGTH ? LENGTH : GENERAL;
        return value(strict, byte, false);
    }
    strict->is_chunked = strict->is_chunked || strict->kind == CHUNKED;
    strict->state = FIELD_START;
    return SKIP;
}

static int judge_value(http_strict_t *strict, unsigned char byte, bool is_buffer_start)
{
    bool is_before = strict->state == BEFORE_VALUE;
    if (is_before && (byte == ' ' || byte == '\t')) {
        return PASS;
    }
    if (byte == '\r' || byte == '\n') {
        strict->state = is_before ? (byte == '\r' ? EMPTY_LF : EMPTY_END) : byte == '\r' ? VALUE_LF : VALUE_END;
        return PASS;
    }
    if (is_before) {
        value_begins(strict);
    }
    return value(strict, byte, is_buffer_start && !is_before);
}

/* A byte that has to be `wanted`; where it need not be, the library knows what else it is. */
static int expect(http_strict_t *strict, unsigned char byte, char wanted, http_strict_state_t next, bool is_strict)
{
    strict->state = next;
    return is_strict && byte != (unsigned char)wanted ? refuse(strict, HPE_STRICT) : PASS;
}

int http_strict_judge(http_strict_t *strict, unsigned char byte, bool is_buffer_start)
{
    if (strict->state == EMPTY_END || strict->state == VALUE_END) {
        int judged = fold(strict, byte);
        if (strict->state != FIELD_START) {
            return judged;
        }
    }
    switch (strict->state) {
    case START:
        return begin(strict, byte);
    case METHOD: case BEFORE_URL: case URL: case BEFORE_VERSION:
        return request_line(strict, byte);
    case VERSION_NAME: case ICY: case MAJOR_FIRST: case MAJOR: case MINOR_FIRST: case MINOR:
        return version(strict, byte);
    case STATUS:
        strict->state = byte == '\r' ? STATUS_LF : byte == '\n' ? FIELD_START : STATUS;
        return PASS;
    case STATUS_LF:
        return expect(strict, byte, '\n', FIELD_START, strict->parser.type == HTTP_RESPONSE);
    case FIELD_START:
        if (byte == '\r') {
            strict->state = HEAD_LF;
            return PASS;
        }
        return byte == '\n' ? header_end(strict, byte) : field(strict, byte);
    case FIELD:
        return field(strict, byte);
    case EMPTY_LF:
        return expect(strict, byte, '\n', EMPTY_END, true);
    case VALUE_LF:
        return expect(strict, byte, '\n', VALUE_END, false);
    case HEAD_LF:
        return header_end(strict, byte);
    case CHUNK_SIZE:
        strict->state = byte == '\r' ? CHUNK_LF : CHUNK_SIZE;
        return PASS;
    case CHUNK_LF:
        return expect(strict, byte, '\n', CHUNK_DATA, true);
    case CHUNK_DATA_CR:
        return expect(strict, byte, '\r', CHUNK_DATA_LF, true);
    case CHUNK_DATA_LF:
        return expect(strict, byte, '\n', CHUNK_SIZE, true);
    default:
        return judge_value(strict, byte, is_buffer_start);
    }
}
