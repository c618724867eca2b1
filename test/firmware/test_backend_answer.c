#include <stdlib.h>

#include "backend_answer.h"
#include "check.h"
#include "files.h"
#include "outlook.h"
#include "prov_event.h"

#define FIELD(name, content) "\"" name "\":{\"content\":\"" content "\"}"

static char s_own[4096];
static char s_ca[4096];

/** The text of a file as it stands in JSON. */
static void escape(const char *name, char *out)
{
    char *text = load(name);
    for (const char *at = text; *at != '\0'; at++) {
        out += *at == '\n' ? sprintf(out, "\\n") : sprintf(out, "%c", *at);
    }
    free(text);
}

static bool parse(const char *body, size_t length, const char *flaw)
{
    certificate_reading_t reading;
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, body, length);
    backend_answer_parse(copy, length, &reading);
    free(copy);
    bool ok = reading.flaw[0] == '\0';
    CHECK(ok == (reading.certificate.record != NULL));
    if (flaw != NULL) {
        CHECK_TEXT(reading.flaw, flaw);
    }
    certificate_free(&reading.certificate);
    return ok;
}

/** `%1$s` is the device's certificate, `%2$s` the CA's. */
static char *fill(const char *form)
{
    char *body = malloc(16384);
    snprintf(body, 16384, form, s_own, s_ca);
    return body;
}

#define GOOD "{" FIELD("certificate", "%1$s") "," FIELD("ca_certificate", "%2$s") "}"

static void test_good(void)
{
    char *body = fill(GOOD);
    CHECK(parse(body, strlen(body), ""));
    for (size_t length = 0; length < strlen(body); length++) {
        CHECK(!parse(body, length, "not JSON"));
    }
    free(body);
    body = fill("{\"status\":\"ok\",\"more\":[1,{}]," FIELD("ca_certificate", "%2$s") "," FIELD("certificate", "%1$s") "} \n");
    CHECK(parse(body, strlen(body), ""));
    free(body);
}

static const struct {
    const char *form;
    const char *flaw;
} BAD[] = {
    {"[]", "not JSON"},
    {"", "not JSON"},
    {"<html>not JSON</html>", "not JSON"},
    {GOOD "x", "not JSON"},
    {"{}", "certificate: missing"},
    {"{" FIELD("certificate", "%1$s") "}", "ca_certificate: missing"},
    {"{" FIELD("ca_certificate", "%2$s") "}", "certificate: missing"},
    {"{\"certificate\":\"%1$s\",\"ca_certificate\":\"%2$s\"}", "certificate: missing"},
    {"{\"certificate\":{\"content\":1}," FIELD("ca_certificate", "%2$s") "}", "certificate: missing"},
    {"{\"certificate\":null,\"ca_certificate\":null}", "certificate: missing"},
    {"{\"certificate\":[],\"ca_certificate\":[]}", "certificate: missing"},
    {"{" FIELD("certificate", "") "," FIELD("ca_certificate", "%2$s") "}", "certificate: no PEM block in it"},
    {"{" FIELD("certificate", "leaf") "," FIELD("ca_certificate", "%2$s") "}", "certificate: no PEM block in it"},
    {"{" FIELD("certificate", "%1$s") "," FIELD("ca_certificate", "leaf") "}", "ca_certificate: no PEM block in it"},
    {"{" FIELD("certificate", "%1$s") "," FIELD("certificate", "%1$s") "," FIELD("ca_certificate", "%2$s") "}",
     "a name stands there twice"},
    {"{\"certificate\":{\"content\":\"%1$s\",\"content\":\"%1$s\"}," FIELD("ca_certificate", "%2$s") "}",
     "a name stands there twice"},
    {"{" FIELD("certificate", "%1$s\\u0000") "," FIELD("ca_certificate", "%2$s") "}", "not JSON"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        char *body = fill(BAD[i].form);
        CHECK(!parse(body, strlen(body), BAD[i].flaw));
        free(body);
    }
}

static void test_refusal(void)
{
    static const char *const REFUSALS[] = {
        "{\"status\":\"error\",\"code\":\"token_invalid\"}",
        " {\"message\":\"no\",\"code\":\"x\",\"status\":\"error\",\"more\":1}\n",
    };
    static const char *const OTHERS[] = {
        "", "{}", "[]", "null", "<html>403</html>", "{\"status\":\"error\"}", "{\"code\":\"x\"}",
        "{\"status\":\"error\",\"code\":\"\"}", "{\"status\":\"ok\",\"code\":\"x\"}", "{\"status\":403,\"code\":\"x\"}",
        "{\"status\":\"error\",\"code\":403}", "{\"error\":\"invalid_token\"}", "{\"status\":\"error\",\"code\":\"x\"",
        "[{\"status\":\"error\",\"code\":\"x\"}]",
    };
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        CHECK_CASE(backend_answer_is_refusal(REFUSALS[i], strlen(REFUSALS[i])), REFUSALS[i]);
    }
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        CHECK_CASE(!backend_answer_is_refusal(OTHERS[i], strlen(OTHERS[i])), OTHERS[i]);
    }
}

static void test_status(int status, bool is_refusal, backend_verdict_t verdict, prov_failure_t expected, const char *said)
{
    prov_failure_t failure = PROV_FAILURE_COUNT;
    char detail[PROV_DETAIL_MAX];
    CHECK(backend_status_verdict(status, is_refusal, &failure) == verdict);
    CHECK(failure == expected);
    backend_status_detail(status, is_refusal, detail, sizeof detail);
    CHECK_TEXT(detail, said);
    /* A rejection, and nothing else, leads back to AP_MODE. */
    CHECK((outlook_of(failure) == OUTLOOK_GIVES_UP) == (verdict == BACKEND_VERDICT_REJECTED));
}

static void test_statuses(void)
{
    for (int is_refusal = 0; is_refusal <= 1; is_refusal++) {
        test_status(200, is_refusal, BACKEND_VERDICT_OK, PROV_FAILURE_NONE, "HTTP 200");
        test_status(201, is_refusal, BACKEND_VERDICT_OK, PROV_FAILURE_NONE, "HTTP 201");
        test_status(404, is_refusal, BACKEND_VERDICT_STUCK, PROV_FAILURE_BACKEND_ERROR, "HTTP 404");
        test_status(302, is_refusal, BACKEND_VERDICT_STUCK, PROV_FAILURE_BACKEND_ERROR, "HTTP 302: redirects are not followed");
        test_status(204, is_refusal, BACKEND_VERDICT_STUCK, PROV_FAILURE_BACKEND_ERROR, "HTTP 204");
        test_status(408, is_refusal, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR, "HTTP 408");
        test_status(429, is_refusal, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR, "HTTP 429");
        test_status(500, is_refusal, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR, "HTTP 500");
        test_status(503, is_refusal, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR, "HTTP 503");
    }
    static const int OF_THE_TOKEN[] = {401, 403};
    static const int OF_THE_CSR[] = {400, 409, 413, 415, 422};
    char said[64];
    for (size_t i = 0; i < sizeof OF_THE_TOKEN / sizeof OF_THE_TOKEN[0]; i++) {
        snprintf(said, sizeof said, "HTTP %d", OF_THE_TOKEN[i]);
        test_status(OF_THE_TOKEN[i], true, BACKEND_VERDICT_REJECTED, PROV_FAILURE_TOKEN_REJECTED, said);
        strcat(said, ", and not the backend's JSON");
        test_status(OF_THE_TOKEN[i], false, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR, said);
    }
    for (size_t i = 0; i < sizeof OF_THE_CSR / sizeof OF_THE_CSR[0]; i++) {
        snprintf(said, sizeof said, "HTTP %d", OF_THE_CSR[i]);
        test_status(OF_THE_CSR[i], true, BACKEND_VERDICT_REJECTED, PROV_FAILURE_CSR_REJECTED, said);
        strcat(said, ", and not the backend's JSON");
        test_status(OF_THE_CSR[i], false, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR, said);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    s_dir = argv[1];
    escape("device.crt", s_own);
    escape("ca.crt", s_ca);
    test_good();
    test_bad();
    test_refusal();
    test_statuses();
    return check_result("backend_answer");
}
