/* Text that came from outside, made harmless in HTML. Pure. */
#pragma once

#include <stddef.h>

/** Room for any text of `length` bytes: "&quot;" is the longest replacement. */
#define HTML_ESCAPED_SIZE(length) ((length) * 6 + 1)

/** Escapes for element content and quoted attributes; what does not fit is cut between characters. */
void html_escape(const char *text, char *out, size_t capacity);
