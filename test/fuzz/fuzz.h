/* What every target uses: the input as a stream of choices, and an assertion that no build removes. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at;
    size_t left;
} input_t;

/** The next byte of the input; 0 at its end. */
static inline uint8_t take_byte(input_t *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

/** The next `size` bytes, or what is left, as a NUL-terminated heap text; its size is exact for ASan. */
static inline char *take_text(input_t *input, size_t size)
{
    size = size < input->left ? size : input->left;
    char *text = malloc(size + 1);
    if (text == NULL) {
        abort();
    }
    memcpy(text, input->at, size);
    text[size] = '\0';
    input->at += size;
    input->left -= size;
    return text;
}

#define MUST(condition)                                                              \
    do {                                                                             \
        if (!(condition)) {                                                          \
            fprintf(stderr, "%s:%d: violated: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                 \
        }                                                                            \
    } while (0)
