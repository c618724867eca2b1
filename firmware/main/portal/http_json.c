#include "http_json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cJSON.h"
#include "http_session.h"
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
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "status", "error");
    cJSON_AddStringToObject(root, "code", code);
    cJSON_AddStringToObject(root, "message", message);
    char *json = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    esp_err_t err = http_json_send(req, status_line, json != NULL ? json : "{\"status\":\"error\"}");
    cJSON_free(json);
    return err;
}

static bool is_of_type(httpd_req_t *req, const char *type)
{
    char *value = http_header_copy(req, "Content-Type", 128);
    bool equal = value != NULL && strncasecmp(value, type, strlen(type)) == 0 &&
                 strchr("; \t", value[strlen(type)]) != NULL; /* strchr finds the NUL too */
    free(value);
    return equal;
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
