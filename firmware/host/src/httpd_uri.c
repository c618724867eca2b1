/* The handlers of a server, and which of them gets a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "host_air.h"
#include "httpd_priv.h"

static const char *TAG = "httpd_uri";

static bool does_uri_match(const httpd_server_t *server, const char *pattern, const char *uri,
                           size_t length)
{
    if (server->config.uri_match_fn != NULL) {
        return server->config.uri_match_fn(pattern, uri, length);
    }
    return strlen(pattern) == length && strncmp(pattern, uri, length) == 0;
}

/* Index of the handler, or -1 with the error to report. With the monitor locked. */
static int find_handler(const httpd_server_t *server, const char *uri, size_t length, int method,
                        httpd_err_code_t *error)
{
    *error = HTTPD_404_NOT_FOUND;
    for (size_t i = 0; i < server->handler_count; i++) {
        const httpd_uri_t *handler = &server->handlers[i];
        if (!does_uri_match(server, handler->uri, uri, length)) {
            continue;
        }
        if ((int)handler->method == method || (int)handler->method == HTTP_ANY) {
            return (int)i;
        }
        *error = HTTPD_405_METHOD_NOT_ALLOWED;
    }
    return -1;
}

esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *uri_handler)
{
    httpd_server_t *server = handle;
    if (server == NULL || uri_handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_OK;
    httpd_err_code_t ignored;
    host_monitor_lock(&server->monitor);
    if (find_handler(server, uri_handler->uri, strlen(uri_handler->uri),
                     (int)uri_handler->method, &ignored) >= 0) {
        err = ESP_ERR_HTTPD_HANDLER_EXISTS;
    } else if (server->handler_count == server->config.max_uri_handlers) {
        ESP_LOGW(TAG, "no slots left for registering handler");
        err = ESP_ERR_HTTPD_HANDLERS_FULL;
    } else {
        httpd_uri_t *slot = &server->handlers[server->handler_count];
        *slot = *uri_handler;
        slot->uri = strdup(uri_handler->uri);
        if (slot->uri != NULL) {
            server->handler_count++;
        } else {
            err = ESP_ERR_HTTPD_ALLOC_MEM;
        }
    }
    host_monitor_unlock(&server->monitor);
    return err;
}

esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error,
                                     httpd_err_handler_func_t handler_fn)
{
    httpd_server_t *server = handle;
    if (server == NULL || error >= HTTPD_ERR_CODE_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    host_monitor_lock(&server->monitor);
    server->error_handlers[error] = handler_fn;
    host_monitor_unlock(&server->monitor);
    return ESP_OK;
}

esp_err_t httpd_dispatch_error(httpd_request_t *request, httpd_err_code_t error)
{
    httpd_server_t *server = request->server;
    host_monitor_lock(&server->monitor);
    httpd_err_handler_func_t handler = server->error_handlers[error];
    host_monitor_unlock(&server->monitor);
    if (handler == NULL) {
        httpd_resp_send_err(&request->req, error, NULL);
        return ESP_FAIL;
    }
    esp_err_t err = handler(&request->req, error);
    return error == HTTPD_500_INTERNAL_SERVER_ERROR ? ESP_FAIL : err;
}

static bool is_reply_lost(const httpd_request_t *request)
{
    const char *method = request->req.method == HTTP_GET ? "GET" : request->req.method == HTTP_POST ? "POST" : "";
    char call[ESP_HOST_HTTPD_MAX_URI_LEN + 16];
    snprintf(call, sizeof call, "%s %.*s", method, (int)strcspn(request->req.uri, "?"), request->req.uri);
    return host_air_is_reply_lost(call);
}

esp_err_t httpd_dispatch(httpd_request_t *request)
{
    httpd_server_t *server = request->server;
    if ((request->url.field_set & (1 << UF_PATH)) == 0) {
        return ESP_FAIL; /* a whole URL without a path: ESP-IDF hangs up */
    }
    request->is_lost = is_reply_lost(request);
    const char *path = request->req.uri + request->url.field_data[UF_PATH].off;
    httpd_err_code_t error;
    host_monitor_lock(&server->monitor);
    int index = find_handler(server, path, request->url.field_data[UF_PATH].len, request->req.method, &error);
    httpd_uri_t handler = {0};
    if (index >= 0) {
        handler = server->handlers[index];
    }
    host_monitor_unlock(&server->monitor);
    if (index < 0) {
        return httpd_dispatch_error(request, error);
    }
    request->req.user_ctx = handler.user_ctx;
    esp_err_t err = handler.handler(&request->req);
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "uri handler execution failed");
    }
    return err;
}
