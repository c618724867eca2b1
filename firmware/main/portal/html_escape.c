#include "html_escape.h"

#include <string.h>

static const char *replacement(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_escape(const char *text, char *out, size_t capacity)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        const char *escaped = replacement(*text);
        size_t length = escaped != NULL ? strlen(escaped) : 1;
        if (used + length >= capacity) {
            break;
        }
        memcpy(out + used, escaped != NULL ? escaped : text, length);
        used += length;
    }
    out[used] = '\0';
}
