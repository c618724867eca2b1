#include "backend_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificate_pem.h"
#include "device_clock.h"
#include "device_identity.h"
#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_idf_version.h"
#include "esp_log.h"
#include "esp_tls.h"
#include "json_text.h"
#include "net_failure.h"
#include "sdkconfig.h"
#include "secret_wipe.h"

/* A header line must fit into the transmit buffer as a whole: this, and the token. */
#define TX_BUFFER 1024
/* PROV_BACKEND_TIMEOUT_MS limits one read; a body that drips is cut off after this many of them. */
#define TOTAL_TIMEOUTS 3
/* Holds most answers; a longer one gets more. */
#define BODY_BUFFER 4096

static const char *TAG = "backend";

typedef struct {
    const char *path;
    const char *json;
    char *bearer;                /* NULL = no Authorization header; on the heap, ours */
    const char *certificate_pem; /* to identify ourselves with; NULL = none */
    bool want_body;
} call_t;

typedef struct {
    int status;    /* HTTP status; 0 = no answer */
    char *body;    /* heap; NULL = none wanted */
    size_t capacity;
    size_t length;
    const char *flaw; /* of the body: why it is not whole; NULL = it is */
    net_error_t error;
} exchange_t;

static esp_err_t on_http_event(esp_http_client_event_t *event)
{
    exchange_t *exchange = event->user_data;
    bool carries_error = event->event_id == HTTP_EVENT_ERROR || event->event_id == HTTP_EVENT_DISCONNECTED;
    if (carries_error && event->data != NULL && exchange->error.last_error == ESP_OK) {
        exchange->error.last_error = esp_tls_get_and_clear_last_error(
            (esp_tls_error_handle_t)event->data, &exchange->error.stack_error, &exchange->error.verify_flags);
        exchange->error.handshake = tls_handshake_last();
    }
    return ESP_OK;
}

static bool add_headers(esp_http_client_handle_t client, const char *bearer)
{
    bool added = esp_http_client_set_header(client, "Content-Type", "application/json") == ESP_OK &&
                 esp_http_client_set_header(client, "Accept", "application/json") == ESP_OK;
    if (bearer == NULL || !added) {
        return added;
    }
    size_t size = sizeof "Bearer " + strlen(bearer);
    char *authorization = malloc(size);
    if (authorization == NULL) {
        return false;
    }
    snprintf(authorization, size, "Bearer %s", bearer);
    added = esp_http_client_set_header(client, "Authorization", authorization) == ESP_OK;
    secret_free(authorization, size);
    return added; /* without it, the backend would refuse the token */
}

static esp_http_client_handle_t open_client(const call_t *call, exchange_t *exchange)
{
    char url[BACKEND_URL_MAX + BACKEND_PATH_MAX + 1];
    const char *base = CONFIG_PROV_BACKEND_URL;
    size_t base_length = strlen(base);
    while (base_length > 0 && base[base_length - 1] == '/') {
        base_length--;
    }
    int length = snprintf(url, sizeof url, "%.*s%s", (int)base_length, base, call->path);
    if (length < 0 || (size_t)length >= sizeof url) {
        return NULL;
    }
    esp_http_client_config_t config = {
        .url = url,
        .method = HTTP_METHOD_POST,
        .timeout_ms = CONFIG_PROV_BACKEND_TIMEOUT_MS,
        .disable_auto_redirect = true, /* a redirect must not carry the token elsewhere */
        .event_handler = on_http_event,
        .user_data = exchange,
        .buffer_size = 1024,
        .buffer_size_tx = TX_BUFFER + (call->bearer != NULL ? (int)strlen(call->bearer) : 0),
        .cert_pem = device_identity_backend_ca_pem(),
    };
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 0)
    static const char *const ALPN[] = {"http/1.1", NULL}; /* or a server of two minds may choose HTTP/2 */
    config.alpn_protos = (const char **)ALPN;
#endif
    if (config.cert_pem == NULL) {
        config.crt_bundle_attach = esp_crt_bundle_attach;
    }
    if (call->certificate_pem != NULL) {
        config.client_cert_pem = call->certificate_pem;
        config.client_key_pem = device_identity_key_pem();
    }
    esp_http_client_handle_t client = esp_http_client_init(&config);
    if (client != NULL && !add_headers(client, call->bearer)) {
        esp_http_client_cleanup(client);
        client = NULL;
    }
    return client;
}

/**
 * The status of the answer; 0 = none came. What a server sends before it, 100 Continue unasked or 103 Early Hints
 * (RFC 9110 15.2), ends a call of fetch_headers as an answer does. 101 is final: nobody asked for another protocol.
 */
static int fetch_status(esp_http_client_handle_t client, int64_t deadline_ms)
{
    int status = 0;
    do {
        if (esp_http_client_fetch_headers(client) < 0 || device_clock_uptime_ms() > deadline_ms) {
            return 0;
        }
        status = esp_http_client_get_status_code(client);
    } while (status < 200 && status != 101);
    return status;
}

/** Room for more of the body, within `limit`. What a refusal quotes of the token does not stay behind. */
static bool grow_body(exchange_t *exchange, size_t limit)
{
    size_t capacity = exchange->capacity > 0 ? 2 * exchange->capacity : BODY_BUFFER;
    capacity = capacity < limit ? capacity : limit;
    char *body = capacity > exchange->capacity ? malloc(capacity) : NULL;
    if (body == NULL) {
        return false;
    }
    if (exchange->length > 0) {
        memcpy(body, exchange->body, exchange->length);
    }
    secret_free(exchange->body, exchange->capacity);
    exchange->body = body;
    exchange->capacity = capacity;
    return true;
}

/**
 * What is no certificate has no use for more than fits into the first buffer. Byte for byte, which TLS has buffered: a
 * call for more of them would not end before it had them all, however slowly they came.
 */
static void read_body(esp_http_client_handle_t client, int64_t deadline_ms, exchange_t *exchange)
{
    bool is_success = exchange->status >= 200 && exchange->status <= 299;
    size_t limit = is_success ? BACKEND_ANSWER_MAX + 1 : BODY_BUFFER;
    int got = 1;
    exchange->flaw = "it was cut off";
    while (got > 0 && device_clock_uptime_ms() < deadline_ms) {
        if (exchange->length == exchange->capacity && !grow_body(exchange, limit)) {
            bool is_over = exchange->capacity == limit;
            exchange->flaw = is_over ? "over " PROV_LIMIT_TEXT(BACKEND_ANSWER_MAX) " bytes" : "out of memory";
            return;
        }
        got = esp_http_client_read(client, exchange->body + exchange->length, 1);
        exchange->length += got > 0;
    }
    if (got == 0 && esp_http_client_is_complete_data_received(client)) {
        exchange->flaw = NULL;
    }
}

/** One POST. Gives the token back before the TLS handshake, the hungriest moment, and asks for the answer's buffer after. */
static void post(const call_t *call, exchange_t *exchange)
{
    *exchange = (exchange_t){0};
    esp_http_client_handle_t client = open_client(call, exchange);
    secret_free_text(call->bearer);
    if (client == NULL) {
        ESP_LOGE(TAG, "the HTTP client cannot be made");
        return;
    }
    int length = (int)strlen(call->json);
    tls_handshake_begin();
    esp_err_t err = esp_http_client_open(client, length);
    if (err == ESP_OK && esp_http_client_write(client, call->json, length) == length) {
        int64_t deadline_ms = device_clock_uptime_ms() + TOTAL_TIMEOUTS * (int64_t)CONFIG_PROV_BACKEND_TIMEOUT_MS;
        exchange->status = fetch_status(client, deadline_ms);
        if (call->want_body && exchange->status != 0) {
            read_body(client, deadline_ms, exchange);
        }
    }
    esp_http_client_close(client);
    esp_http_client_cleanup(client);
}

static void set_result(backend_result_t *result, backend_verdict_t verdict, prov_failure_t failure, const char *detail)
{
    result->verdict = verdict;
    result->failure = failure;
    snprintf(result->detail, sizeof result->detail, "%s", detail);
}

static void judge_no_answer(const exchange_t *exchange, backend_result_t *result)
{
    char detail[PROV_DETAIL_MAX];
    net_failure_detail(&exchange->error, detail, sizeof detail);
    switch (net_failure_classify(&exchange->error)) {
    case NET_FAILURE_UNTRUSTED:
        set_result(result, BACKEND_VERDICT_STUCK, PROV_FAILURE_BACKEND_UNTRUSTED, detail);
        break;
    case NET_FAILURE_DNS:
        set_result(result, BACKEND_VERDICT_RETRY, PROV_FAILURE_DNS_FAILED, "backend");
        break;
    case NET_FAILURE_REFUSED:
    case NET_FAILURE_TLS:
        set_result(result, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_TLS_FAILED, detail);
        break;
    case NET_FAILURE_GARBAGE:
    case NET_FAILURE_CLOSED:
    case NET_FAILURE_UNREACHABLE:
    default:
        set_result(result, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_UNREACHABLE, detail);
        break;
    }
}

/** The certificate of a 200 answer; false when it cannot be used, and then `detail` says why. */
static bool take_certificate(const exchange_t *exchange, certificate_t *certificate, char detail[PROV_DETAIL_MAX])
{
    certificate_reading_t reading = {0};
    if (exchange->flaw == NULL) {
        backend_answer_parse(exchange->body, exchange->length, &reading);
        *certificate = reading.certificate;
    } else {
        snprintf(reading.flaw, sizeof reading.flaw, "%s", exchange->flaw);
    }
    for (unsigned block = 0; block < 32; block++) {
        if ((reading.passed_over >> block & 1) != 0) {
            ESP_LOGW(TAG, "ca_certificate: PEM block %u cannot be read and is passed over", block + 1);
        }
    }
    _Static_assert(sizeof reading.flaw == PROV_DETAIL_MAX, "a flaw is a detail");
    memcpy(detail, reading.flaw, sizeof reading.flaw);
    return reading.flaw[0] == '\0';
}

/** FNV-1a: recognises a token without keeping it; 0 without one. */
static uint32_t fingerprint(const char *token)
{
    uint32_t hash = 2166136261u;
    for (; token != NULL && *token != '\0'; token++) {
        hash = (hash ^ (unsigned char)*token) * 16777619u;
    }
    return token != NULL ? hash : 0;
}

static void judge_answer(const exchange_t *exchange, uint32_t token, backend_result_t *result)
{
    /* The backend took this token but its answer was of no use. A good backend answers the same CSR
     * again; when another refuses the token now, that is a consequence and must not hide the cause. */
    static uint32_t s_wasted;
    char detail[PROV_DETAIL_MAX];
    bool may_refuse = exchange->status >= 400 && exchange->flaw == NULL;
    bool is_refusal = may_refuse && backend_answer_is_refusal(exchange->body, exchange->length);
    backend_status_detail(exchange->status, is_refusal, detail, sizeof detail);
    prov_failure_t failure = PROV_FAILURE_NONE;
    backend_verdict_t verdict = backend_status_verdict(exchange->status, is_refusal, &failure);
    set_result(result, verdict, failure, detail);
    if (verdict == BACKEND_VERDICT_OK) {
        bool is_taken = take_certificate(exchange, &result->certificate, detail);
        s_wasted = is_taken ? 0 : token;
        if (!is_taken) {
            set_result(result, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_BAD_RESPONSE, detail);
        }
    } else if (failure == PROV_FAILURE_TOKEN_REJECTED && token != 0 && s_wasted == token) {
        set_result(result, verdict, PROV_FAILURE_BACKEND_BAD_RESPONSE, "and now the token is spent");
    }
}

/** `{"device_id","csr"}`; the caller frees it with cJSON_free(). */
static char *csr_request(void)
{
    json_text_t text = json_text_begin();
    cJSON_AddStringToObject(text.root, "device_id", device_identity_id());
    cJSON_AddStringToObject(text.root, "csr", device_identity_csr_pem());
    return json_text_end(&text);
}

/** POSTs the CSR to `path`, with a token, which it takes over, or with the certificate that we hold. */
static void ask_for_certificate(const char *path, char *token, const char *current_pem, backend_result_t *result)
{
    exchange_t exchange = {0};
    uint32_t token_print = fingerprint(token);
    *result = (backend_result_t){0};
    char *json = csr_request();
    if (json == NULL) {
        secret_free_text(token);
        set_result(result, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_UNREACHABLE, "out of memory");
        return;
    }
    const call_t call = {.path = path, .json = json, .bearer = token, .certificate_pem = current_pem, .want_body = true};
    post(&call, &exchange);
    cJSON_free(json);
    if (exchange.status == 0) {
        judge_no_answer(&exchange, result);
    } else {
        judge_answer(&exchange, token_print, result);
    }
    secret_free(exchange.body, exchange.capacity); /* a refusal may quote the token */
}

static void log_result(const backend_result_t *result)
{
    if (result->verdict == BACKEND_VERDICT_OK) {
        ESP_LOGI(TAG, "the backend signed the certificate");
    } else {
        ESP_LOGW(TAG, "%s: %s", prov_failure_code(result->failure), result->detail);
    }
}

void backend_client_sign_csr(char *token, backend_result_t *result)
{
    ask_for_certificate("/sign-csr", token, NULL, result);
    log_result(result);
}

void backend_client_renew(const certificate_t *current, backend_result_t *result)
{
    char *pem = pem_of_certificates(current, CERTIFICATE_SENT);
    if (pem == NULL) {
        *result = (backend_result_t){0};
        set_result(result, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_UNREACHABLE, "out of memory");
    } else {
        ask_for_certificate("/renew-csr", NULL, pem, result);
    }
    free(pem);
    if (result->failure == PROV_FAILURE_TOKEN_REJECTED) {
        result->failure = PROV_FAILURE_RENEWAL_REJECTED; /* there was no token to refuse */
    }
    log_result(result);
}

bool backend_client_report(char *bearer, const char *json)
{
    exchange_t exchange = {0};
    const call_t call = {.path = CONFIG_PROV_REPORT_PATH, .json = json, .bearer = bearer};
    post(&call, &exchange);
    bool ok = exchange.status >= 200 && exchange.status <= 299;
    if (ok) {
        ESP_LOGI(TAG, "reported to the backend");
    } else {
        ESP_LOGW(TAG, "the report to the backend failed, HTTP %d", exchange.status);
    }
    return ok;
}
