#include "http_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captive_portal.h"
#include "device_identity.h"
#include "device_store.h"
#include "html_escape.h"
#include "http_json.h"
#include "http_refusals.h"
#include "page.inc"
#include "prov_mailbox.h"
#include "prov_status.h"
#include "provision_intake.h"
#include "secret_wipe.h"

#define ACCEPT_MAX 512
#define REFRESH "3; url=/progress"

typedef struct {
    const char *status_line;
    bool is_problem;
    const char *heading;
    const char *text;
    const char *link; /* where the person goes from here; NULL = nowhere */
    const char *link_text;
} answer_t;

/* ---- words ---- */

typedef struct {
    const char *key;
    const char *words;
} words_t;

#define ROW(key, words) {key, words},

/**
 * The words of a table as people read them; see codegen/page-pack.ts. Until the next call: the server is one
 * task, and no answer needs two of them.
 */
static const char *unpack(const char *packed)
{
    static char s_words[PAGE_WORDS_MAX + 1];
    size_t used = 0;
    for (; *packed != '\0' && used < PAGE_WORDS_MAX; packed++) {
        const char *phrase = PAGE_PHRASES;
        unsigned char code = (unsigned char)*packed;
        if (code < 0x80) {
            s_words[used++] = *packed;
            continue;
        }
        for (; code > 0x80; code--) {
            phrase += strlen(phrase) + 1;
        }
        used += (size_t)snprintf(s_words + used, sizeof s_words - used, "%s", phrase);
    }
    s_words[used < PAGE_WORDS_MAX ? used : PAGE_WORDS_MAX] = '\0';
    return s_words;
}

static const char *find_words(const words_t *table, size_t count, const char *key, size_t key_length)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(table[i].key) == key_length && memcmp(table[i].key, key, key_length) == 0) {
            return unpack(table[i].words);
        }
    }
    return NULL;
}

/** What a request's error means to a person; the message itself when there are no better words. */
static const char *request_words(const request_error_t *error)
{
    static const words_t FIELDS[] = {PAGE_FIELD_WORDS(ROW)};
    const char *words = find_words(FIELDS, sizeof FIELDS / sizeof FIELDS[0], error->message, strcspn(error->message, ":"));
    return words != NULL ? words : error->message;
}

/** NULL when it is none that people meet. */
static const char *refusal_words(const char *code)
{
    static const words_t REFUSALS[] = {PAGE_REFUSAL_WORDS(ROW)};
    return find_words(REFUSALS, sizeof REFUSALS / sizeof REFUSALS[0], code, strlen(code));
}

static const char *state_words(prov_state_t state)
{
    static const char *const WORDS[PROV_STATE_COUNT] = {
#define PROV_STATE(name, phase, words) words,
#include "prov_states.inc"
#undef PROV_STATE
    };
    return WORDS[state];
}

static const char *failure_words(prov_failure_t failure)
{
    static const char *const WORDS[PROV_FAILURE_COUNT] = {
#define X(name, words) [PROV_FAILURE_##name] = words,
        PAGE_FAILURE_WORDS(X)
#undef X
    };
    bool known = failure < PROV_FAILURE_COUNT && WORDS[failure] != NULL;
    return known ? unpack(WORDS[failure]) : prov_failure_message(failure);
}

/* ---- answers ---- */

static esp_err_t send_escaped(httpd_req_t *req, const char *text)
{
    size_t size = HTML_ESCAPED_SIZE(strlen(text));
    char *escaped = malloc(size);
    if (escaped == NULL) {
        return ESP_ERR_NO_MEM;
    }
    html_escape(text, escaped, size);
    esp_err_t err = escaped[0] != '\0' ? httpd_resp_sendstr_chunk(req, escaped) : ESP_OK;
    free(escaped);
    return err;
}

static void set_headers(httpd_req_t *req, const char *status_line, const char *policy)
{
    httpd_resp_set_status(req, status_line);
    httpd_resp_set_type(req, "text/html; charset=utf-8");
    httpd_resp_set_hdr(req, "Cache-Control", "no-store");
    httpd_resp_set_hdr(req, "Content-Security-Policy", policy);
    httpd_resp_set_hdr(req, "X-Content-Type-Options", "nosniff");
}

/** Sends a page; every text in it is escaped here, wherever it came from. */
static esp_err_t send_answer(httpd_req_t *req, const answer_t *answer)
{
    const struct {
        const char *markup;
        const char *text;
    } parts[] = {
        {PAGE_ANSWER_HEAD "<h1>", answer->heading},
        {answer->is_problem ? "</h1><p class=\"problem\" role=\"alert\">" : "</h1><p role=\"status\">", answer->text},
        {answer->link != NULL ? "</p><p><a href=\"" : "", answer->link != NULL ? answer->link : ""},
        {answer->link != NULL ? "\">" : "", answer->link != NULL ? answer->link_text : ""},
        {answer->link != NULL ? "</a></p>" PAGE_ANSWER_TAIL : "</p>" PAGE_ANSWER_TAIL, ""},
    };
    set_headers(req, answer->status_line, PAGE_ANSWER_CSP);
    esp_err_t err = ESP_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && err == ESP_OK; i++) {
        /* An empty chunk would end the answer. */
        err = parts[i].markup[0] != '\0' ? httpd_resp_sendstr_chunk(req, parts[i].markup) : ESP_OK;
        err = err == ESP_OK ? send_escaped(req, parts[i].text) : err;
    }
    return err == ESP_OK ? httpd_resp_send_chunk(req, NULL, 0) : ESP_FAIL;
}

static esp_err_t send_problem(httpd_req_t *req, const char *status_line, const char *text)
{
    const answer_t answer = {status_line, true, "That did not work", text, "/", "Back to the form"};
    return send_answer(req, &answer);
}

/* ---- GET / ---- */

bool http_page_is_for_people(httpd_req_t *req)
{
    if (req->method != HTTP_GET) {
        return false;
    }
    char accept[ACCEPT_MAX + 1];
    return !http_header_read(req, "Accept", accept, sizeof accept) || strstr(accept, "application/json") == NULL;
}

esp_err_t http_page_redirect(httpd_req_t *req)
{
    httpd_resp_set_status(req, "303 See Other");
    httpd_resp_set_type(req, "text/plain");
    httpd_resp_set_hdr(req, "Location", captive_portal_uri());
    httpd_resp_set_hdr(req, "Cache-Control", "no-store");
    /* iOS takes an empty body for a broken network. */
    return httpd_resp_sendstr(req, "Set up this device at the address in the Location header.\n");
}

esp_err_t http_page_get(httpd_req_t *req)
{
    set_headers(req, HTTPD_200, PAGE_CSP);
    httpd_resp_set_hdr(req, "Content-Encoding", "gzip");
    return httpd_resp_send(req, (const char *)PAGE_GZIP, sizeof PAGE_GZIP);
}

/* ---- POST / ---- */

bool http_page_is_its_form(httpd_req_t *req)
{
    return req->method == HTTP_POST && req->uri[0] == '/' && (req->uri[1] == '\0' || req->uri[1] == '?');
}

esp_err_t http_page_refuse(httpd_req_t *req, const char *status_line, const char *code, const char *message)
{
    const char *words = refusal_words(code);
    return send_problem(req, status_line, words != NULL ? words : message);
}

static esp_err_t accept_request(httpd_req_t *req, const provision_request_t *request)
{
    provision_intake_t outcome = provision_intake(req, request);
    const provision_refusal_t *refusal = provision_refusal(outcome);
    if (refusal != NULL) {
        return http_page_refuse(req, refusal->status_line, refusal->code, refusal->message);
    }
    char text[160];
    snprintf(text, sizeof text,
             "The device is about to join \"%s\". If your phone leaves the device's WiFi meanwhile, join it again.",
             request->provisioning.wifi.ssid);
    const answer_t answer = {HTTPD_200, false, "Saved", text, "/progress", "See how it goes"};
    httpd_resp_set_hdr(req, "Refresh", REFRESH);
    esp_err_t err = send_answer(req, &answer);
    if (outcome == PROVISION_SAVED) {
        provision_intake_begin();
    }
    return err;
}

static esp_err_t out_of_memory(httpd_req_t *req)
{
    return http_page_refuse(req, REFUSAL_OUT_OF_MEMORY);
}

static esp_err_t handle_form(httpd_req_t *req, char *body, size_t length)
{
    request_error_t error = {0};
    cJSON *document = provision_form_document(body, length, device_identity_id(), &error);
    secret_free(body, length);
    provision_request_t *request = calloc(1, sizeof *request);
    if (request == NULL) {
        cJSON_Delete(document);
        return out_of_memory(req);
    }
    esp_err_t err;
    if (provision_request_read(document, NULL, device_store_has_certificate(), request, &error)) {
        err = accept_request(req, request);
    } else {
        err = error.lacks_memory ? out_of_memory(req) : send_problem(req, "400 Bad Request", request_words(&error));
    }
    secret_free(request, sizeof *request);
    return err;
}

esp_err_t http_page_post(httpd_req_t *req)
{
    size_t length = 0;
    char *body;
    switch (http_body_read(req, HTTP_TYPE_FORM, &body, &length)) {
    case HTTP_BODY_OK:
        return handle_form(req, body, length);
    case HTTP_BODY_WRONG_TYPE:
        return send_problem(req, "415 Unsupported Media Type", "This address takes the form of its page only.");
    case HTTP_BODY_NO_MEMORY:
        return out_of_memory(req);
    default:
        return ESP_FAIL;
    }
}

/* ---- GET /progress ---- */

static const char *progress_heading(const prov_status_t *status)
{
    if (status->state == PROV_STATE_MQTT_CONNECTED) {
        return "Your device is online";
    }
    if (status->failure != PROV_FAILURE_NONE) {
        return status->state == PROV_STATE_AP_MODE ? "That did not work" : "Not there yet: the device keeps trying";
    }
    return state_words(status->state);
}

static const char *progress_text(const prov_status_t *status)
{
    if (status->state == PROV_STATE_MQTT_CONNECTED) {
        return "You can close this page. The device's own WiFi closes now; your phone goes back to yours.";
    }
    return status->failure != PROV_FAILURE_NONE ? failure_words(status->failure)
           : status->state == PROV_STATE_AP_MODE ? "Enter your WiFi details in the form."
                                                 : "This takes up to a minute. The page follows by itself.";
}

esp_err_t http_page_progress(httpd_req_t *req)
{
    prov_status_t status;
    prov_status_get(&status);
    bool online = status.state == PROV_STATE_MQTT_CONNECTED;
    bool failed = !online && status.failure != PROV_FAILURE_NONE;
    bool offers_form = status.state == PROV_STATE_AP_MODE || failed;
    const answer_t answer = {
        .status_line = HTTPD_200,
        .is_problem = failed,
        .heading = progress_heading(&status),
        .text = progress_text(&status),
        .link = offers_form ? "/" : NULL,
        .link_text = "Back to the form",
    };
    if (!online && status.state != PROV_STATE_AP_MODE) {
        httpd_resp_set_hdr(req, "Refresh", REFRESH);
    }
    esp_err_t err = send_answer(req, &answer);
    if (err == ESP_OK && online) {
        prov_post_event(PROV_EVENT_STATUS_READ);
    }
    return err;
}
