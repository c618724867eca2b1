#include <stdlib.h>

#include "check.h"
#include "dns_answer.h"

static uint8_t s_out[DNS_ANSWER_MAX];

/** Asks with a copy of exactly `length` bytes into a buffer of exactly `capacity`. */
static size_t ask_into(const uint8_t *query, size_t length, size_t capacity)
{
    static const uint8_t IP[] = {192, 168, 4, 1};
    uint32_t address;
    memcpy(&address, IP, sizeof address);
    uint8_t *copy = malloc(length > 0 ? length : 1);
    uint8_t *out = malloc(capacity > 0 ? capacity : 1);
    memcpy(copy, query, length);
    size_t got = dns_answer(copy, length, address, out, capacity);
    CHECK(got <= capacity);
    memset(s_out, 0, sizeof s_out);
    memcpy(s_out, out, got < sizeof s_out ? got : sizeof s_out);
    free(copy);
    free(out);
    return got;
}

static size_t ask(const uint8_t *query, size_t length)
{
    return ask_into(query, length, DNS_ANSWER_MAX);
}

/** captive.apple.com, recursion desired, one question; type and class at 31 and 33. */
static const uint8_t QUERY[] = {
    0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0,
    7, 'c', 'a', 'p', 't', 'i', 'v', 'e', 5, 'a', 'p', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0,
    0, 1, 0, 1,
};
#define TYPE_AT 31
#define CLASS_AT 33

static size_t ask_changed(size_t at, uint8_t high, uint8_t low)
{
    uint8_t query[sizeof QUERY];
    memcpy(query, QUERY, sizeof query);
    query[at] = high;
    query[at + 1] = low;
    return ask(query, sizeof query);
}

static void test_address(void)
{
    static const uint8_t RECORD[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 168, 4, 1};
    CHECK(ask(QUERY, sizeof QUERY) == sizeof QUERY + sizeof RECORD);
    CHECK(s_out[0] == 0x12 && s_out[1] == 0x34);
    CHECK(s_out[2] == 0x85 && s_out[3] == 0x80); /* response, authoritative, RD as asked, RA; no error */
    CHECK(s_out[5] == 1 && s_out[7] == 1 && s_out[9] == 0 && s_out[11] == 0);
    CHECK(memcmp(s_out + 12, QUERY + 12, sizeof QUERY - 12) == 0);
    CHECK(memcmp(s_out + sizeof QUERY, RECORD, sizeof RECORD) == 0);
    CHECK(ask_changed(TYPE_AT, 0, 255) == sizeof QUERY + sizeof RECORD); /* ANY */
    /* The root, and an additional record (EDNS) that is left alone. */
    static const uint8_t ROOT[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0};
    CHECK(ask(ROOT, sizeof ROOT) == 12 + 5 + 16);
    CHECK(s_out[11] == 0);
}

static void test_other_types(void)
{
    static const uint8_t TYPES[] = {28 /* AAAA */, 65 /* HTTPS */, 15, 16, 6, 12};
    for (size_t i = 0; i < sizeof TYPES; i++) {
        CHECK(ask_changed(TYPE_AT, 0, TYPES[i]) == sizeof QUERY);
        CHECK((s_out[3] & 0x0f) == 0 && s_out[7] == 0); /* the name exists, without such a record */
    }
    CHECK(ask_changed(CLASS_AT, 0, 3) == sizeof QUERY);
    CHECK(ask_changed(TYPE_AT, 1, 1) == sizeof QUERY);
}

static void test_malformed(void)
{
    CHECK(ask_changed(2, 0x81, 0x80) == 0); /* a response: no loops between two servers */
    CHECK(ask_changed(2, 0x29, 0) == 12 && (s_out[3] & 0x0f) == 4); /* an update */
    CHECK(ask_changed(4, 0, 0) == 12 && (s_out[3] & 0x0f) == 1);
    CHECK(ask_changed(4, 0, 2) == 12 && (s_out[3] & 0x0f) == 1);
    CHECK(ask_changed(4, 1, 1) == 12 && (s_out[3] & 0x0f) == 1);
    CHECK(ask_changed(12, 0xc0, 12) == 12 && (s_out[3] & 0x0f) == 1); /* a pointer to itself */
    CHECK(ask_changed(12, 64, 'c') == 12 && (s_out[3] & 0x0f) == 1);
    CHECK(ask_changed(12, 63, 'c') == 12 && (s_out[3] & 0x0f) == 1); /* a label past the end */
    for (size_t length = 0; length < 12; length++) {
        CHECK(ask(QUERY, length) == 0);
    }
    for (size_t length = 12; length < sizeof QUERY; length++) {
        CHECK(ask(QUERY, length) == 12 && (s_out[3] & 0x0f) == 1 && s_out[5] == 0);
    }
}

/** A name of `total` bytes on the wire. */
static size_t ask_long(size_t total)
{
    uint8_t query[DNS_QUERY_MAX] = {0, 9, 1, 0, 0, 1};
    size_t at = 12;
    size_t left = total - 1;
    while (left > 0) {
        uint8_t label = left > 64 ? 63 : (uint8_t)(left - 1);
        if (left > 64 && left - 64 == 1) {
            label = 62; /* no room for a label of none */
        }
        query[at] = label;
        memset(query + at + 1, 'a', label);
        at += 1u + label;
        left -= 1u + label;
    }
    memcpy(query + at, "\0\0\1\0\1", 5);
    return ask(query, at + 5);
}

static void test_bounds(void)
{
    CHECK(ask_long(255) == DNS_ANSWER_MAX);
    CHECK(ask_long(256) == 12 && (s_out[3] & 0x0f) == 1);
    for (size_t capacity = 0; capacity < sizeof QUERY + 16; capacity++) {
        CHECK(ask_into(QUERY, sizeof QUERY, capacity) == 0);
    }
    CHECK(ask_into(QUERY, sizeof QUERY, sizeof QUERY + 16) == sizeof QUERY + 16);
    /* Every changed byte: answers have bounds, whatever they say. */
    for (size_t at = 0; at < sizeof QUERY; at++) {
        for (int byte = 0; byte < 256; byte++) {
            uint8_t query[sizeof QUERY];
            memcpy(query, QUERY, sizeof query);
            query[at] = (uint8_t)byte;
            (void)ask(query, sizeof query);
        }
    }
}

int main(void)
{
    test_address();
    test_other_types();
    test_malformed();
    test_bounds();
    return check_result("test_dns_answer");
}
