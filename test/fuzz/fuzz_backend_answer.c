/* The backend's answer to a CSR. */
#include "backend_answer.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t input = {.at = data, .left = size};
    prov_failure_t failure = PROV_FAILURE_NONE;
    int http_status = take_byte(&input) * 3;
    backend_verdict_t verdict = backend_status_verdict(http_status, &failure);
    MUST((verdict == BACKEND_VERDICT_OK) == (failure == PROV_FAILURE_NONE));

    size_t length = input.left;
    char *body = take_text(&input, length);
    certificate_t certificate;
    if (backend_answer_parse(body, length, &certificate) == NULL) {
        const char *first = (const char *)certificate.record;
        const char *end = first + certificate.record_size;
        MUST(certificate.certificate_pem > first && certificate.certificate_pem < end);
        MUST(certificate.ca_pem > certificate.certificate_pem && certificate.ca_pem < end);
        MUST(strlen(certificate.certificate_pem) <= PROV_PEM_MAX && certificate.certificate_pem[0] != '\0');
        MUST(strlen(certificate.ca_pem) <= PROV_PEM_MAX && certificate.ca_pem[0] != '\0');
        certificate_free(&certificate);
    }
    free(body);
    return 0;
}
