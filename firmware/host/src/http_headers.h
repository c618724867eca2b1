/* The request headers of the HTTP client, in order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct http_header {
    struct http_header *next;
    size_t key_length;
    char line[]; /* "key: value" */
} http_header_t;

/** Set, replace (case-insensitively), or with a NULL value remove. False without memory. */
bool http_headers_set(http_header_t **headers, const char *key, const char *value);
bool http_headers_have(const http_header_t *headers, const char *key);
void http_headers_free(http_header_t **headers);
/**
 * Write as many headers as fit into `buffer`, from number `index` on; the empty line that ends
 * them when all did.
 * @param[in,out] length room in `buffer`; then the bytes written
 * @return the number of the next header to write; 0 when there is none
 */
int http_headers_write(const http_header_t *headers, int index, char *buffer, int *length);
