#include "http_gate.h"

#include <string.h>

#include "captive_portal.h"
#include "host_header.h"
#include "http_framing.h"
#include "http_json.h"
#include "http_page.h"
#include "http_refusals.h"
#include "http_session.h"

#define HOST_MAX 64
#define LENGTH_MAX 64

/** Other than httpd_req_get_hdr_value_len(), tells an empty header from none. */
static bool has_header(httpd_req_t *req, const char *name)
{
    char first;
    return httpd_req_get_hdr_value_str(req, name, &first, sizeof first) != ESP_ERR_NOT_FOUND;
}

/** Missing, empty, too long, a name: whatever is not the board's address is somebody else's. */
static bool is_for_the_board(httpd_req_t *req, const char *host)
{
    uint32_t address;
    return host != NULL && host_header_address(host, &address) &&
           (address == captive_portal_address() || address == http_session_address(req));
}

static bool is_foreign(httpd_req_t *req)
{
    char host_text[HOST_MAX + 1];
    char origin_text[HOST_MAX + 1];
    const char *host = http_header_read(req, "Host", host_text, sizeof host_text) ? host_text : NULL;
    const char *origin = http_header_read(req, "Origin", origin_text, sizeof origin_text) ? origin_text : NULL;
    /* A target that is a whole URL is meant for a proxy, whatever Host says. */
    bool foreign = req->uri[0] != '/' || !is_for_the_board(req, host);
    if (!foreign && has_header(req, "Origin")) {
        foreign = origin == NULL || !host_header_is_origin(host, origin);
    }
    return foreign;
}

static http_framing_t framing_of(httpd_req_t *req)
{
    bool is_coded = has_header(req, "Transfer-Encoding");
    if (is_coded || !has_header(req, "Content-Length")) {
        return http_framing_judge(is_coded, NULL, req->content_len);
    }
    if (httpd_req_get_hdr_value_len(req, "Content-Length") > LENGTH_MAX) {
        return HTTP_FRAMING_TOO_LONG;
    }
    char text[LENGTH_MAX + 1];
    (void)http_header_read(req, "Content-Length", text, sizeof text);
    return http_framing_judge(false, text, req->content_len);
}

static esp_err_t refuse(httpd_req_t *req, const char *status_line, const char *code, const char *message)
{
    return http_page_is_its_form(req) ? http_page_refuse(req, status_line, code, message)
                                      : http_json_error(req, status_line, code, message);
}

/** The same as a phone's probe gets, whatever it asks for; only a GET can be led elsewhere. */
static esp_err_t refuse_foreign(httpd_req_t *req)
{
    return req->method == HTTP_GET ? http_page_redirect(req)
                                   : refuse(req, REFUSAL_FOREIGN_HOST);
}

static esp_err_t refuse_framing(httpd_req_t *req, http_framing_t framing)
{
    switch (framing) {
    case HTTP_FRAMING_CODED:
        return refuse(req, REFUSAL_LENGTH_REQUIRED);
    case HTTP_FRAMING_TOO_LONG:
        return refuse(req, REFUSAL_TOO_LARGE);
    default:
        return refuse(req, REFUSAL_BAD_LENGTH);
    }
}

/** Where the body ends is not known, and so not where the next request begins. */
static esp_err_t refuse_and_close(httpd_req_t *req, http_framing_t framing, bool foreign)
{
    httpd_resp_set_hdr(req, "Connection", "close");
    esp_err_t err = foreign ? refuse_foreign(req) : refuse_framing(req, framing);
    if (err == ESP_OK) {
        http_session_linger(req);
    }
    return ESP_FAIL;
}

static esp_err_t judge(httpd_req_t *req, http_handler_t handler)
{
    if (!http_session_is_awaited(req)) {
        return ESP_FAIL;
    }
    bool foreign = is_foreign(req);
    http_framing_t framing = framing_of(req);
    if (framing != HTTP_FRAMING_OK) {
        return refuse_and_close(req, framing, foreign);
    }
    esp_err_t err = foreign ? refuse_foreign(req) : handler(req);
    return err == ESP_OK ? http_body_discard(req) : err;
}

esp_err_t http_gate(httpd_req_t *req, http_handler_t handler)
{
    esp_err_t err = judge(req, handler);
    http_session_end_request();
    return err;
}
