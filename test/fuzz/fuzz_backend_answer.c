/* The backend's answer to a CSR. */
#include "backend_answer.h"
#include "fuzz.h"

static void check_certificate(const certificate_t *certificate)
{
    certificate_item_t item = {0};
    size_t der_bytes = 0;
    uint8_t roles = 0;
    while (certificate_next(certificate, CERTIFICATE_SENT | CERTIFICATE_TRUSTED, &item)) {
        MUST(item.der > certificate->record && item.der + item.size <= certificate->record + certificate->record_size);
        der_bytes += item.size;
        roles |= item.roles;
    }
    MUST(der_bytes <= PROV_CERTIFICATES_MAX && roles == (CERTIFICATE_SENT | CERTIFICATE_TRUSTED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t input = {.at = data, .left = size};
    prov_failure_t failure = PROV_FAILURE_NONE;
    int http_status = take_byte(&input) * 3;
    size_t length = input.left;
    char *body = take_text(&input, length);
    bool is_refusal = backend_answer_is_refusal(body, length);
    backend_verdict_t verdict = backend_status_verdict(http_status, is_refusal, &failure);
    MUST((verdict == BACKEND_VERDICT_OK) == (failure == PROV_FAILURE_NONE));
    MUST(verdict != BACKEND_VERDICT_REJECTED || is_refusal);

    certificate_reading_t reading;
    backend_answer_parse(body, length, &reading);
    MUST((reading.flaw[0] == '\0') == (reading.certificate.record != NULL));
    MUST(memchr(reading.flaw, '\0', sizeof reading.flaw) != NULL);
    if (reading.certificate.record != NULL) {
        check_certificate(&reading.certificate);
        certificate_free(&reading.certificate);
    }
    free(body);
    return 0;
}
