#include "host_header.h"

#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** A number of up to `digits` digits without leading zeros; the end of it, or NULL. */
static const char *read_number(const char *at, size_t digits, uint32_t max, uint32_t *value)
{
    size_t length = 0;
    *value = 0;
    while (is_digit(at[length]) && length < digits) {
        *value = *value * 10 + (uint32_t)(at[length++] - '0');
    }
    bool has_leading_zero = length > 1 && at[0] == '0';
    return length > 0 && !has_leading_zero && !is_digit(at[length]) && *value <= max ? at + length : NULL;
}

bool host_header_address(const char *host, uint32_t *address)
{
    const char *at = host;
    uint8_t bytes[4];
    uint32_t number;
    for (size_t i = 0; i < sizeof bytes; i++) {
        at = i == 0 || *at++ == '.' ? read_number(at, 3, UINT8_MAX, &number) : NULL;
        if (at == NULL) {
            return false;
        }
        bytes[i] = (uint8_t)number;
    }
    if (*at == ':') {
        at = read_number(at + 1, 5, UINT16_MAX, &number);
    }
    if (at == NULL || *at != '\0') {
        return false;
    }
    memcpy(address, bytes, sizeof bytes);
    return true;
}

bool host_header_is_origin(const char *host, const char *origin)
{
    static const char SCHEME[] = "http://";
    return strncmp(origin, SCHEME, sizeof SCHEME - 1) == 0 && strcmp(origin + sizeof SCHEME - 1, host) == 0;
}
