#include "http_json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cJSON.h"
#include "device_clock.h"
#include "secret_wipe.h"

#define BODY_DEADLINE_MS 4000
#define DISCARD_DEADLINE_MS 2000

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

http_body_t http_body_read(httpd_req_t *req, const char *type, char *buffer, size_t capacity, size_t *length)
{
    *length = 0;
    if (!is_of_type(req, type)) {
        return HTTP_BODY_WRONG_TYPE;
    }
    if (req->content_len >= capacity) {
        return HTTP_BODY_TOO_LARGE;
    }
    int64_t deadline_ms = device_clock_uptime_ms() + BODY_DEADLINE_MS;
    while (*length < req->content_len) {
        int got = httpd_req_recv(req, buffer + *length, req->content_len - *length);
        bool waiting = got == HTTPD_SOCK_ERR_TIMEOUT && device_clock_uptime_ms() < deadline_ms;
        if (got <= 0 && !waiting) {
            return HTTP_BODY_BROKEN;
        }
        *length += got > 0 ? (size_t)got : 0;
        if (device_clock_uptime_ms() >= deadline_ms && *length < req->content_len) {
            return HTTP_BODY_BROKEN; /* one byte at a time is no way to hold the only server task */
        }
    }
    buffer[*length] = '\0';
    return HTTP_BODY_OK;
}

esp_err_t http_body_discard(httpd_req_t *req)
{
    char *scrap = malloc(1024);
    if (scrap == NULL) {
        return ESP_FAIL;
    }
    int64_t deadline_ms = device_clock_uptime_ms() + DISCARD_DEADLINE_MS;
    int got = 1;
    while (got > 0 && device_clock_uptime_ms() < deadline_ms) {
        got = httpd_req_recv(req, scrap, 1024);
    }
    secret_free(scrap, 1024);
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
