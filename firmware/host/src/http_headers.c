#include "http_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_log.h"

static const char *TAG = "HTTP_HEADER";

static void free_header(http_header_t *header)
{
    free(header->key);
    free(header->value);
    free(header);
}

static http_header_t *new_header(const char *key, const char *value)
{
    http_header_t *header = calloc(1, sizeof *header);
    if (header != NULL) {
        header->key = strdup(key);
        header->value = strdup(value);
        if (header->key == NULL || header->value == NULL) {
            free_header(header);
            header = NULL;
        }
    }
    return header;
}

bool http_headers_set(http_header_t **headers, const char *key, const char *value)
{
    http_header_t **link = headers;
    while (*link != NULL && strcasecmp((*link)->key, key) != 0) {
        link = &(*link)->next;
    }
    http_header_t *old = *link;
    http_header_t *next = old != NULL ? old->next : NULL;
    http_header_t *header = NULL;
    if (value != NULL) {
        header = new_header(key, value);
        if (header == NULL) {
            return false;
        }
        header->next = next;
    }
    *link = header != NULL ? header : next;
    if (old != NULL) {
        free_header(old);
    }
    return true;
}

bool http_headers_have(const http_header_t *headers, const char *key)
{
    while (headers != NULL && strcasecmp(headers->key, key) != 0) {
        headers = headers->next;
    }
    return headers != NULL;
}

void http_headers_free(http_header_t **headers)
{
    while (*headers != NULL) {
        http_header_t *header = *headers;
        *headers = header->next;
        free_header(header);
    }
}

static int line_length(const http_header_t *header)
{
    return (int)(strlen(header->key) + strlen(header->value) + strlen(": \r\n"));
}

int http_headers_write(const http_header_t *headers, int index, char *buffer, int *length)
{
    int room = *length;
    int written = 0;
    int number = 0;
    bool does_fit = true;
    for (const http_header_t *header = headers; header != NULL; header = header->next, number++) {
        if (number < index) {
            continue;
        }
        /* Room must remain for the last CR LF and a terminator. */
        if (written + line_length(header) + 1 > room - 2) {
            ESP_LOGE(TAG, "Buffer length is small to fit all the headers");
            does_fit = false;
            break;
        }
        written += snprintf(buffer + written, (size_t)(room - written), "%s: %s\r\n", header->key,
                            header->value);
    }
    if (number <= index && does_fit) {
        return 0; /* nothing is left */
    }
    if (does_fit) {
        written += snprintf(buffer + written, (size_t)(room - written), "\r\n");
    }
    *length = written;
    return number;
}
