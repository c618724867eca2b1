#include "http_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_log.h"

static const char *TAG = "HTTP_HEADER";

/* The link to the header of that key, or to the end. */
static http_header_t **find(http_header_t **link, const char *key)
{
    size_t length = strlen(key);
    while (*link != NULL && ((*link)->key_length != length || strncasecmp((*link)->line, key, length) != 0)) {
        link = &(*link)->next;
    }
    return link;
}

bool http_headers_set(http_header_t **headers, const char *key, const char *value)
{
    http_header_t **link = find(headers, key);
    http_header_t *next = *link != NULL ? (*link)->next : NULL;
    http_header_t *header = NULL;
    if (value != NULL) {
        size_t size = strlen(key) + strlen(value) + sizeof ": ";
        header = malloc(sizeof *header + size);
        if (header == NULL) {
            return false;
        }
        header->next = next;
        header->key_length = strlen(key);
        snprintf(header->line, size, "%s: %s", key, value);
    }
    free(*link);
    *link = header != NULL ? header : next;
    return true;
}

bool http_headers_have(const http_header_t *headers, const char *key)
{
    return *find((http_header_t **)&headers, key) != NULL;
}

void http_headers_free(http_header_t **headers)
{
    while (*headers != NULL) {
        http_header_t *header = *headers;
        *headers = header->next;
        free(header);
    }
}

int http_headers_write(const http_header_t *headers, int index, char *buffer, int *length)
{
    int room = *length;
    int written = 0;
    int number = 0;
    for (const http_header_t *header = headers; header != NULL; header = header->next, number++) {
        int needed = (int)strlen(header->line) + (int)strlen("\r\n");
        if (number >= index && written + needed + 1 > room - 2) { /* room must remain for the last CR LF and a terminator */
            ESP_LOGE(TAG, "Buffer length is small to fit all the headers");
            *length = written;
            return number;
        }
        if (number >= index) {
            written += snprintf(buffer + written, (size_t)(room - written), "%s\r\n", header->line);
        }
    }
    if (number <= index) {
        return 0; /* nothing is left */
    }
    *length = written + snprintf(buffer + written, (size_t)(room - written), "\r\n");
    return number;
}
