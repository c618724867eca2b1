/* What the captive portal's name server says to one query (RFC 1035, section 4). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Queries over UDP have no more (RFC 1035, section 2.3.4), and ours need no more. */
#define DNS_QUERY_MAX 512
/** A question and one address record. */
#define DNS_ANSWER_MAX (12 + 255 + 4 + 16)

/**
 * Answers an A query for any name with `address` (network byte order), other types with no record,
 * other operations and what is not one question with an error code. Returns the answer's length, or 0
 * when there is nothing to say: to a response, to less than a header, or when `capacity` is too small.
 */
size_t dns_answer(const uint8_t *query, size_t length, uint32_t address, uint8_t *out, size_t capacity);
