#include <stdlib.h>

#include "backend_answer.h"
#include "check.h"
#include "outlook.h"

#define PEM(body) "-----BEGIN CERTIFICATE-----\\n" body "\\n-----END CERTIFICATE-----\\n"
#define GOOD "{\"certificate\":{\"content\":\"" PEM("leaf") "\"},\"ca_certificate\":{\"content\":\"" PEM("ca") "\"}}"

static bool parse(const char *body, size_t length)
{
    certificate_t certificate;
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, body, length);
    bool ok = backend_answer_parse(copy, length, &certificate) == NULL;
    free(copy);
    CHECK(ok == (certificate.record != NULL));
    certificate_free(&certificate);
    return ok;
}

static void test_good(void)
{
    certificate_t certificate;
    CHECK(backend_answer_parse(GOOD, strlen(GOOD), &certificate) == NULL);
    CHECK(strstr(certificate.certificate_pem, "\nleaf\n") != NULL);
    CHECK(strstr(certificate.ca_pem, "\nca\n") != NULL);
    certificate_free(&certificate);
}

static void test_truncated(void)
{
    for (size_t length = 0; length < strlen(GOOD); length++) {
        CHECK(!parse(GOOD, length));
    }
}

static void test_bad(void)
{
    static const char *const BAD[] = {
        "[]",
        "{}",
        "{\"certificate\":{\"content\":\"" PEM("leaf") "\"}}",
        "{\"ca_certificate\":{\"content\":\"" PEM("ca") "\"}}",
        "{\"certificate\":\"" PEM("leaf") "\",\"ca_certificate\":\"" PEM("ca") "\"}",
        "{\"certificate\":{\"content\":1},\"ca_certificate\":{\"content\":\"" PEM("ca") "\"}}",
        "{\"certificate\":{\"content\":\"\"},\"ca_certificate\":{\"content\":\"" PEM("ca") "\"}}",
        "{\"certificate\":{\"content\":\"leaf\"},\"ca_certificate\":{\"content\":\"" PEM("ca") "\"}}",
        "{\"certificate\":null,\"ca_certificate\":null}",
        "{\"certificate\":[],\"ca_certificate\":[]}",
        GOOD "x",
        "{\"certificate\":{\"content\":\"" PEM("le\\u0000af") "\"},\"ca_certificate\":{\"content\":\"" PEM("ca") "\"}}",
        "<html>not JSON</html>",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        CHECK(!parse(BAD[i], strlen(BAD[i])));
    }
    static char large[3 * PROV_PEM_MAX];
    static char filler[PROV_PEM_MAX + 1];
    memset(filler, 'A', PROV_PEM_MAX);
    snprintf(large, sizeof large,
             "{\"certificate\":{\"content\":\"" PEM("%s") "\"},\"ca_certificate\":{\"content\":\"" PEM("ca") "\"}}",
             filler);
    certificate_t none;
    CHECK_TEXT(backend_answer_parse(large, strlen(large), &none), "certificate: over 4096 bytes");
    snprintf(large, sizeof large,
             "{\"certificate\":{\"content\":\"" PEM("leaf") "\"},\"ca_certificate\":{\"content\":\"" PEM("%s") "\"}}",
             filler);
    CHECK_TEXT(backend_answer_parse(large, strlen(large), &none), "ca_certificate: over 4096 bytes");
    CHECK_TEXT(backend_answer_parse("{}", 2, &none), "not the expected JSON");
}

static void test_status(int status, backend_verdict_t verdict, prov_failure_t expected)
{
    prov_failure_t failure = PROV_FAILURE_COUNT;
    CHECK(backend_status_verdict(status, &failure) == verdict);
    CHECK(failure == expected);
    /* A rejection, and nothing else, leads back to AP_MODE. */
    CHECK((outlook_of(failure) == OUTLOOK_GIVES_UP) == (verdict == BACKEND_VERDICT_REJECTED));
}

static void test_statuses(void)
{
    test_status(200, BACKEND_VERDICT_OK, PROV_FAILURE_NONE);
    test_status(201, BACKEND_VERDICT_OK, PROV_FAILURE_NONE);
    test_status(401, BACKEND_VERDICT_REJECTED, PROV_FAILURE_TOKEN_REJECTED);
    test_status(403, BACKEND_VERDICT_REJECTED, PROV_FAILURE_TOKEN_REJECTED);
    test_status(400, BACKEND_VERDICT_REJECTED, PROV_FAILURE_CSR_REJECTED);
    test_status(422, BACKEND_VERDICT_REJECTED, PROV_FAILURE_CSR_REJECTED);
    test_status(404, BACKEND_VERDICT_STUCK, PROV_FAILURE_BACKEND_ERROR);
    test_status(302, BACKEND_VERDICT_STUCK, PROV_FAILURE_BACKEND_ERROR);
    test_status(204, BACKEND_VERDICT_STUCK, PROV_FAILURE_BACKEND_ERROR);
    test_status(429, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR);
    test_status(500, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR);
    test_status(503, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR);
}

int main(void)
{
    test_good();
    test_truncated();
    test_bad();
    test_statuses();
    return check_result("backend_answer");
}
