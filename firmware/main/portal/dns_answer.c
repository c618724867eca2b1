#include "dns_answer.h"

#include <stdbool.h>
#include <string.h>

#define HEADER_SIZE 12
#define NAME_MAX 255 /* with length bytes and the root; RFC 1035, section 2.3.4 */
#define LABEL_MAX 63
#define RECORD_SIZE 16

#define FLAG_RESPONSE 0x80 /* of byte 2, as are the next three */
#define MASK_OPCODE 0x78
#define FLAG_AUTHORITATIVE 0x04
#define FLAG_RECURSION_DESIRED 0x01
#define FLAG_RECURSION_AVAILABLE 0x80 /* of byte 3 */
#define RCODE_FORMAT_ERROR 1
#define RCODE_NOT_IMPLEMENTED 4

#define TYPE_A 1
#define TYPE_ANY 255
#define CLASS_IN 1

/* Phones leave for another network soon; none shall remember our address for the names of that one. */
#define TTL_S 1

static unsigned read_u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/** The length of the question at the header's end, or 0 when it is malformed. */
static size_t question_length(const uint8_t *query, size_t length)
{
    size_t at = HEADER_SIZE;
    while (at < length && query[at] != 0) {
        if (query[at] > LABEL_MAX) { /* a pointer: there is nothing yet that it could point to */
            return 0;
        }
        at += 1u + query[at];
    }
    size_t name = at + 1 - HEADER_SIZE;
    return at < length && name <= NAME_MAX && length - at >= 5 ? name + 4 : 0;
}

static void write_header(const uint8_t *query, uint8_t rcode, bool question, bool answer, uint8_t *out)
{
    memset(out, 0, HEADER_SIZE);
    memcpy(out, query, 2);
    out[2] = FLAG_RESPONSE | FLAG_AUTHORITATIVE | (query[2] & (MASK_OPCODE | FLAG_RECURSION_DESIRED));
    out[3] = FLAG_RECURSION_AVAILABLE | rcode;
    out[5] = question ? 1 : 0;
    out[7] = answer ? 1 : 0;
}

static void write_record(uint32_t address, uint8_t *out)
{
    static const uint8_t HEAD[] = {
        0xc0, HEADER_SIZE, /* the name: as in the question */
        0, TYPE_A, 0, CLASS_IN, 0, 0, 0, TTL_S, 0, sizeof address,
    };
    memcpy(out, HEAD, sizeof HEAD);
    memcpy(out + sizeof HEAD, &address, sizeof address);
}

static size_t refuse(const uint8_t *query, uint8_t rcode, uint8_t *out)
{
    write_header(query, rcode, false, false, out);
    return HEADER_SIZE;
}

size_t dns_answer(const uint8_t *query, size_t length, uint32_t address, uint8_t *out, size_t capacity)
{
    if (length < HEADER_SIZE || (query[2] & FLAG_RESPONSE) != 0 || capacity < HEADER_SIZE) {
        return 0;
    }
    if ((query[2] & MASK_OPCODE) != 0) {
        return refuse(query, RCODE_NOT_IMPLEMENTED, out);
    }
    size_t question = read_u16(query + 4) == 1 ? question_length(query, length) : 0;
    if (question == 0) {
        return refuse(query, RCODE_FORMAT_ERROR, out);
    }
    const uint8_t *tail = query + HEADER_SIZE + question - 4;
    unsigned type = read_u16(tail);
    bool answer = (type == TYPE_A || type == TYPE_ANY) && read_u16(tail + 2) == CLASS_IN;
    size_t total = HEADER_SIZE + question + (answer ? RECORD_SIZE : 0);
    if (total > capacity) {
        return 0;
    }
    write_header(query, 0, true, answer, out);
    memcpy(out + HEADER_SIZE, query + HEADER_SIZE, question);
    if (answer) {
        write_record(address, out + HEADER_SIZE + question);
    }
    return total;
}
