/* The HTTP client's answer: what http_parser tells of it, as esp_http_client.c takes it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_http_client_priv.h"
#include "esp_log.h"

static const char *TAG = "HTTP_CLIENT";

static void dispatch(esp_http_client_handle_t client, esp_http_client_event_t *event)
{
    if (client->config.event_handler != NULL) {
        event->client = client;
        event->user_data = client->config.user_data;
        client->config.event_handler(event);
    }
}

void http_client_dispatch(esp_http_client_handle_t client, esp_http_client_event_id_t id, void *data, int length)
{
    dispatch(client, &(esp_http_client_event_t){.event_id = id, .data = data, .data_len = length});
}

void http_client_drop_cache(esp_http_client_handle_t client)
{
    if (client->cached != NULL) {
        free(client->cached);
        client->cached = NULL;
        client->cached_at = client->unread = 0;
    }
}

/* -1 without memory, which ends the parsing. */
static int append(char **text, const char *more, size_t length)
{
    size_t old_length = *text != NULL ? strlen(*text) : 0;
    char *longer = realloc(*text, old_length + length + 1);
    if (longer == NULL) {
        return -1;
    }
    memcpy(longer + old_length, more, length);
    longer[old_length + length] = '\0';
    *text = longer;
    return 0;
}

static void tell_header(esp_http_client_handle_t client)
{
    if (client->key != NULL && client->value != NULL) {
        dispatch(client, &(esp_http_client_event_t){
                             .event_id = HTTP_EVENT_ON_HEADER, .header_key = client->key, .header_value = client->value});
        free(client->key);
        free(client->value);
        client->key = client->value = NULL;
    }
}

static int on_message_begin(http_parser *parser)
{
    esp_http_client_handle_t client = parser->data;
    client->is_chunked = client->is_chunk_complete = false;
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t length)
{
    tell_header(parser->data);
    return append(&((esp_http_client_handle_t)parser->data)->key, at, length);
}

static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    esp_http_client_handle_t client = parser->data;
    if (client->key == NULL) {
        return 0;
    }
    if (strcasecmp(client->key, "Location") == 0 && append(&client->location, at, length) != 0) {
        return -1;
    }
    bool is_coding = strcasecmp(client->key, "Transfer-Encoding") == 0;
    if (is_coding && length <= strlen("chunked") && memcmp(at, "chunked", length) == 0) {
        client->is_chunked = true;
    }
    return append(&client->value, at, length);
}

static int on_headers_complete(http_parser *parser)
{
    esp_http_client_handle_t client = parser->data;
    tell_header(client);
    client->status = (int)parser->status_code;
    client->content_length = (int64_t)parser->content_length;
    client->processed = 0;
    client->state = CLIENT_HEAD_RECEIVED;
    return client->config.method == HTTP_METHOD_HEAD ? 1 : 0; /* 1: there is no body */
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    esp_http_client_handle_t client = parser->data;
    if (client->out != NULL) {
        memcpy(client->out, at, length);
        client->out += length;
    } else if (client->state < CLIENT_RECEIVING && client->is_caching) {
        char *longer = realloc(client->cached, (size_t)client->unread + length);
        if (longer == NULL) {
            http_client_drop_cache(client);
            return -1;
        }
        memcpy(longer + client->unread, at, length);
        client->cached = longer;
    }
    client->processed += (int64_t)length;
    client->unread += (int)length;
    http_client_dispatch(client, HTTP_EVENT_ON_DATA, (void *)at, (int)length);
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    ((esp_http_client_handle_t)parser->data)->is_chunk_complete = true;
    return 0;
}

void http_client_prepare(esp_http_client_handle_t client)
{
    client->has_to_go_on = false;
    client->processed = 0;
    free(client->location);
    client->location = NULL;
    client->parser.parser.data = client;
    http_strict_init(&client->parser, HTTP_RESPONSE);
}

void http_client_parse(esp_http_client_handle_t client, int length)
{
    static const http_parser_settings CALLBACKS = {
        .on_message_begin = on_message_begin, .on_header_field = on_header_field, .on_header_value = on_header_value,
        .on_headers_complete = on_headers_complete, .on_body = on_body, .on_message_complete = on_message_complete};
    http_strict_execute(&client->parser, &CALLBACKS, client->rx, (size_t)length);
    ESP_LOGD(TAG, "parsed %d bytes: %s", length, http_errno_name(HTTP_PARSER_ERRNO(&client->parser.parser)));
}
