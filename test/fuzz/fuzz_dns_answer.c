/* Queries to the captive portal's name server. */
#include <stdbool.h>

#include "dns_answer.h"
#include "fuzz.h"

#define HEADER 12
#define IS_RESPONSE 0x80

/** Reads an answer as a phone does; false when it is not well formed. */
static bool is_well_formed(const uint8_t *answer, size_t length, const uint8_t *query)
{
    unsigned questions = (unsigned)answer[4] << 8 | answer[5];
    unsigned records = (unsigned)answer[6] << 8 | answer[7];
    size_t at = HEADER;
    if (answer[0] != query[0] || answer[1] != query[1] || (answer[2] & IS_RESPONSE) == 0 || questions > 1) {
        return false;
    }
    if (questions == 1) {
        while (at < length && answer[at] != 0) {
            at += 1u + answer[at];
        }
        at += 1 + 4; /* the root label, type and class */
    }
    /* The name is a pointer, then type, class, lifetime, length and an address. */
    at += records * (2u + 2 + 2 + 4 + 2 + 4);
    return records <= questions && at == length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t input = {.at = data, .left = size};
    size_t capacity = take_byte(&input) * 2u;
    size_t length = input.left;
    char *query = take_text(&input, length);
    uint8_t *out = malloc(capacity > 0 ? capacity : 1);
    MUST(out != NULL);
    size_t answered = dns_answer((const uint8_t *)query, length, 0x0104a8c0, out, capacity);
    MUST(answered <= capacity && answered <= DNS_ANSWER_MAX);
    MUST(answered == 0 || (length >= HEADER && (query[2] & IS_RESPONSE) == 0));
    MUST(answered == 0 || (answered >= HEADER && is_well_formed(out, answered, (const uint8_t *)query)));
    free(out);
    free(query);
    return 0;
}
