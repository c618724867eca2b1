#include "http_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_refusals.h"
#include "http_session.h"
#include "json_text.h"
#include "secret_wipe.h"

esp_err_t http_json_send(httpd_req_t *req, const char *status_line, const char *json)
{
    httpd_resp_set_status(req, status_line);
    httpd_resp_set_type(req, HTTPD_TYPE_JSON);
    httpd_resp_set_hdr(req, "Cache-Control", "no-store");
    return httpd_resp_send(req, json, HTTPD_RESP_USE_STRLEN);
}

esp_err_t http_json_error(httpd_req_t *req, const char *status_line, const char *code, const char *message)
{
    json_text_t text = json_text_begin();
    cJSON_AddStringToObject(text.root, "status", "error");
    cJSON_AddStringToObject(text.root, "code", code);
    cJSON_AddStringToObject(text.root, "message", message);
    char *json = json_text_end(&text);
    if (json == NULL) {
        static const char *const OUT_OF_MEMORY[] = {REFUSAL_OUT_OF_MEMORY};
        char text[128];
        snprintf(text, sizeof text, "{\"status\":\"error\",\"code\":\"%s\",\"message\":\"%s\"}", OUT_OF_MEMORY[1],
                 OUT_OF_MEMORY[2]);
        return http_json_send(req, OUT_OF_MEMORY[0], text);
    }
    esp_err_t err = http_json_send(req, status_line, json);
    cJSON_free(json);
    return err;
}

static bool is_of_type(httpd_req_t *req, const char *type)
{
    char value[129];
    return http_header_read(req, "Content-Type", value, sizeof value) &&
           strncasecmp(value, type, strlen(type)) == 0 &&
           strchr("; \t", value[strlen(type)]) != NULL; /* strchr finds the NUL too */
}

/** Up to `size` bytes, as soon as there are some; 0 at the end, negative when the client is gone or too slow. */
static int receive(httpd_req_t *req, char *buffer, size_t size)
{
    int got;
    do { /* once in any case: after a handler that took long, a scan, there may be nothing left to wait for */
        got = httpd_req_recv(req, buffer, size);
    } while (got == HTTPD_SOCK_ERR_TIMEOUT && http_session_has_time());
    return got;
}

/** All of it, from a client that still waits for the answer. */
static bool receive_all(httpd_req_t *req, char *buffer)
{
    size_t length = 0;
    while (length < req->content_len) {
        int got = receive(req, buffer + length, req->content_len - length);
        if (got <= 0) {
            return false;
        }
        length += (size_t)got;
    }
    buffer[length] = '\0';
    return http_session_is_awaited(req);
}

http_body_t http_body_read(httpd_req_t *req, const char *type, char **body, size_t *length)
{
    *length = req->content_len;
    *body = NULL;
    if (*length > 0 && !is_of_type(req, type)) {
        return HTTP_BODY_WRONG_TYPE;
    }
    char *buffer = malloc(*length + 1);
    if (buffer == NULL) {
        return HTTP_BODY_NO_MEMORY;
    }
    if (!receive_all(req, buffer)) {
        secret_free(buffer, *length + 1);
        return HTTP_BODY_BROKEN;
    }
    *body = buffer;
    return HTTP_BODY_OK;
}

esp_err_t http_body_discard(httpd_req_t *req)
{
    char scrap[256];
    int got;
    do {
        got = receive(req, scrap, sizeof scrap);
    } while (got > 0);
    secret_wipe(scrap, sizeof scrap);
    return got == 0 ? ESP_OK : ESP_FAIL;
}

bool http_header_read(httpd_req_t *req, const char *name, char *out, size_t size)
{
    size_t length = httpd_req_get_hdr_value_len(req, name);
    out[0] = '\0';
    return length > 0 && length < size && httpd_req_get_hdr_value_str(req, name, out, size) == ESP_OK;
}

char *http_header_copy(httpd_req_t *req, const char *name, size_t max)
{
    size_t length = httpd_req_get_hdr_value_len(req, name);
    if (length == 0 || length > max) {
        return NULL;
    }
    char *value = malloc(length + 1);
    if (value != NULL && httpd_req_get_hdr_value_str(req, name, value, length + 1) != ESP_OK) {
        secret_free(value, length + 1);
        value = NULL;
    }
    return value;
}
