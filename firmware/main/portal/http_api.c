#include "http_api.h"

#include <stdlib.h>

#include "ap_interface.h"
#include "cJSON.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_http_server.h"
#include "esp_log.h"
#include "http_gate.h"
#include "http_json.h"
#include "http_page.h"
#include "http_refusals.h"
#include "http_session.h"
#include "json_text.h"
#include "prov_mailbox.h"
#include "prov_status.h"
#include "provision_intake.h"
#include "secret_wipe.h"
#include "stack_marks.h"
#include "status_report.h"
#include "wifi_scan.h"

#define TIMEOUT_S 4 /* http_session.c sets shorter ones */
#define STACK_SIZE 6144 /* cJSON and printf; large buffers are on the heap */
#define AUTHORIZATION_MAX (PROV_BEARER_MAX + 16)

#define STATUS_200 "200 OK"
#define STATUS_400 "400 Bad Request"

static const char *TAG = "http";
static httpd_handle_t s_server;

static esp_err_t out_of_memory(httpd_req_t *req)
{
    return http_json_error(req, REFUSAL_OUT_OF_MEMORY);
}

static char *print_networks(const wifi_network_t *networks, size_t count)
{
    json_text_t text = json_text_begin();
    cJSON *list = cJSON_AddArrayToObject(text.root, "networks");
    for (size_t i = 0; i < count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "ssid", networks[i].ssid);
        cJSON_AddNumberToObject(item, "rssi", networks[i].rssi);
        cJSON_AddNumberToObject(item, "channel", networks[i].channel);
        cJSON_AddBoolToObject(item, "secure", networks[i].secure);
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddNumberToObject(text.root, "count", (double)count);
    return json_text_end(&text);
}

static esp_err_t on_scan(httpd_req_t *req)
{
    wifi_network_t *networks = calloc(WIFI_SCAN_MAX, sizeof *networks);
    if (networks == NULL) {
        return out_of_memory(req);
    }
    size_t count = 0;
    if (wifi_scan_list(networks, &count) != ESP_OK) {
        free(networks);
        httpd_resp_set_hdr(req, "Retry-After", "2");
        return http_json_error(req, REFUSAL_SCAN_UNAVAILABLE);
    }
    char *json = print_networks(networks, count);
    free(networks);
    esp_err_t err = json != NULL ? http_json_send(req, STATUS_200, json) : out_of_memory(req);
    cJSON_free(json);
    return err;
}

static esp_err_t on_status(httpd_req_t *req)
{
    prov_status_t status;
    prov_status_get(&status);
    char *json = status_report_http(&status);
    if (json == NULL) {
        return out_of_memory(req);
    }
    esp_err_t err = http_json_send(req, STATUS_200, json);
    cJSON_free(json);
    if (err == ESP_OK && status.state == PROV_STATE_MQTT_CONNECTED) {
        prov_post_event(PROV_EVENT_STATUS_READ);
    }
    return err;
}

/** The body on the heap; NULL when it was refused, and then `*result` is what the handler returns. */
static char *receive_body(httpd_req_t *req, size_t *length, esp_err_t *result)
{
    char *body;
    switch (http_body_read(req, HTTPD_TYPE_JSON, &body, length)) {
    case HTTP_BODY_OK:
        break;
    case HTTP_BODY_WRONG_TYPE:
        *result = http_json_error(req, REFUSAL_NOT_JSON);
        break;
    case HTTP_BODY_NO_MEMORY:
        *result = out_of_memory(req);
        break;
    default:
        *result = ESP_FAIL;
        break;
    }
    return body;
}

static esp_err_t send_refusal(httpd_req_t *req, provision_intake_t outcome)
{
    const provision_refusal_t *refusal = provision_refusal(outcome);
    if (outcome == PROVISION_TOO_OFTEN) {
        httpd_resp_set_hdr(req, "Retry-After", "6");
    }
    return http_json_error(req, refusal->status_line, refusal->code, refusal->message);
}

/** The request is valid: store it, answer, and only then let the state machine touch the radio. */
static esp_err_t accept_request(httpd_req_t *req, const provision_request_t *request)
{
    provision_intake_t outcome = provision_intake(req, request);
    if (provision_refusal(outcome) != NULL) {
        return send_refusal(req, outcome);
    }
    esp_err_t err = http_json_send(req, STATUS_200, "{\"status\":\"ok\",\"message\":\"Credentials saved\"}");
    if (outcome == PROVISION_SAVED) {
        provision_intake_begin();
    }
    return err;
}

static esp_err_t refuse_request(httpd_req_t *req, const request_error_t *error)
{
    return error->lacks_memory ? out_of_memory(req) : http_json_error(req, STATUS_400, error->code, error->message);
}

/** Takes over `document`; without one, `error` says why. */
static esp_err_t handle_request(httpd_req_t *req, cJSON *document, provision_request_t *request, request_error_t *error)
{
    if (httpd_req_get_hdr_value_len(req, "Authorization") > AUTHORIZATION_MAX) {
        cJSON_Delete(document);
        return http_json_error(req, STATUS_400, REFUSAL_BAD_FIELD_CODE,
                               "Authorization: expected a token of 1 to " PROV_LIMIT_TEXT(PROV_BEARER_MAX) " bytes");
    }
    char *authorization = http_header_copy(req, "Authorization", AUTHORIZATION_MAX);
    if (authorization == NULL && httpd_req_get_hdr_value_len(req, "Authorization") > 0) {
        cJSON_Delete(document);
        return out_of_memory(req);
    }
    bool valid = provision_request_read(document, authorization, device_store_has_certificate(), request, error);
    secret_free_text(authorization);
    if (!valid) {
        return refuse_request(req, error);
    }
    return accept_request(req, request);
}

static esp_err_t on_provision(httpd_req_t *req)
{
    esp_err_t result = ESP_OK;
    size_t length = 0;
    request_error_t error = {0};
    char *body = receive_body(req, &length, &result);
    if (body == NULL) {
        return result;
    }
    cJSON *document = provision_request_document(body, length, &error);
    secret_free(body, length);
    provision_request_t *request = calloc(1, sizeof *request);
    if (request == NULL) {
        cJSON_Delete(document);
        return out_of_memory(req);
    }
    result = handle_request(req, document, request, &error);
    secret_free(request, sizeof *request);
    return result;
}

static esp_err_t on_reset(httpd_req_t *req)
{
    esp_err_t result = ESP_OK;
    size_t length = 0;
    reset_request_t request;
    request_error_t error = {0};
    char *body = receive_body(req, &length, &result);
    if (body == NULL) {
        return result;
    }
    bool valid = reset_request_parse(body, length, &request, &error);
    secret_free(body, length);
    if (!valid) {
        return refuse_request(req, &error);
    }
    provision_intake_t pairing = provision_intake_pairing(req, request.pairing_secret);
    secret_wipe(request.pairing_secret, sizeof request.pairing_secret);
    if (provision_refusal(pairing) != NULL) {
        return send_refusal(req, pairing);
    }
    result = http_json_send(req, STATUS_200, "{\"status\":\"ok\",\"message\":\"Resetting\"}");
    prov_post(&(prov_msg_t){.event = PROV_EVENT_RESET, .wifi_only = request.wifi_only});
    return result;
}

static esp_err_t on_unknown_path(httpd_req_t *req)
{
    return http_page_is_for_people(req) ? http_page_redirect(req)
                                        : http_json_error(req, REFUSAL_NOT_FOUND);
}

static esp_err_t on_wrong_method(httpd_req_t *req)
{
    return http_json_error(req, REFUSAL_METHOD_NOT_ALLOWED);
}

static esp_err_t on_http_error(httpd_req_t *req, httpd_err_code_t code)
{
    switch (code) {
    case HTTPD_404_NOT_FOUND:
        return http_gate(req, on_unknown_path);
    case HTTPD_405_METHOD_NOT_ALLOWED:
        return http_gate(req, on_wrong_method);
    case HTTPD_414_URI_TOO_LONG:
    case HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE:
        http_json_error(req, REFUSAL_HEADER_TOO_LARGE);
        return ESP_FAIL;
    default:
        http_json_error(req, REFUSAL_BAD_REQUEST);
        return ESP_FAIL;
    }
}

typedef struct {
    const char *uri;
    httpd_method_t method;
    http_handler_t handler;
} route_t;

static const route_t ROUTES[] = {
    {"/scan", HTTP_GET, on_scan},
    {"/local-wifi", HTTP_GET, on_scan},
    {"/status", HTTP_GET, on_status},
    {"/provision", HTTP_POST, on_provision},
    {"/reset", HTTP_POST, on_reset},
    {"/", HTTP_GET, http_page_get},
    {"/", HTTP_POST, http_page_post},
    {"/progress", HTTP_GET, http_page_progress},
};

#define ROUTE_COUNT (sizeof ROUTES / sizeof ROUTES[0])

/** What the server calls for every route. */
static esp_err_t on_request(httpd_req_t *req)
{
    const route_t *route = req->user_ctx;
    esp_err_t err = http_gate(req, route->handler);
    stack_marks_note(STACK_MARK_HTTPD);
    return err;
}

static esp_err_t register_handlers(void)
{
    static const httpd_err_code_t ERRORS[] = {
        HTTPD_404_NOT_FOUND,    HTTPD_405_METHOD_NOT_ALLOWED, HTTPD_400_BAD_REQUEST,
        HTTPD_414_URI_TOO_LONG, HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE,
    };
    esp_err_t err = ESP_OK;
    for (size_t i = 0; i < ROUTE_COUNT && err == ESP_OK; i++) {
        const httpd_uri_t handler = {
            .uri = ROUTES[i].uri, .method = ROUTES[i].method, .handler = on_request, .user_ctx = (void *)&ROUTES[i]};
        err = httpd_register_uri_handler(s_server, &handler);
    }
    for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0] && err == ESP_OK; i++) {
        err = httpd_register_err_handler(s_server, ERRORS[i], on_http_error);
    }
    return err;
}

esp_err_t http_api_start(void)
{
    if (s_server != NULL) {
        return ESP_OK;
    }
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    config.stack_size = STACK_SIZE;
    config.max_uri_handlers = ROUTE_COUNT;
    config.lru_purge_enable = true; /* idle connections must not lock anybody out */
    config.open_fn = http_session_open;
    config.recv_wait_timeout = TIMEOUT_S;
    config.send_wait_timeout = TIMEOUT_S;
    /* It listens on every interface until it is bound: of the connections that come before none is served, ever. */
    http_session_refuse_all();
    esp_err_t err = httpd_start(&s_server, &config);
    if (err == ESP_OK) {
        err = ap_interface_bind_server();
    }
    if (err == ESP_OK) {
        err = register_handlers();
    }
    if (err == ESP_OK) {
        err = http_session_admit(s_server);
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the server does not start: %s", esp_err_to_name(err));
        http_api_stop();
    }
    return err;
}

void http_api_stop(void)
{
    if (s_server != NULL) {
        http_session_refuse_all();
        httpd_stop(s_server);
        s_server = NULL;
    }
}
