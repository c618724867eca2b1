#include "http_framing.h"

#include <string.h>

http_framing_t http_framing_judge(bool is_coded, const char *length_text, size_t content_len)
{
    if (is_coded) {
        return HTTP_FRAMING_CODED;
    }
    if (length_text == NULL) {
        return content_len == 0 ? HTTP_FRAMING_OK : HTTP_FRAMING_MALFORMED;
    }
    size_t digits = strspn(length_text, "0123456789");
    size_t blanks = strspn(length_text + digits, " \t");
    if (digits == 0 || length_text[digits + blanks] != '\0') {
        return HTTP_FRAMING_MALFORMED;
    }
    size_t length = 0;
    for (size_t i = 0; i < digits && length <= HTTP_BODY_MAX; i++) {
        length = length * 10 + (size_t)(length_text[i] - '0');
    }
    if (length > HTTP_BODY_MAX) {
        return HTTP_FRAMING_TOO_LONG;
    }
    return length == content_len ? HTTP_FRAMING_OK : HTTP_FRAMING_MALFORMED;
}
