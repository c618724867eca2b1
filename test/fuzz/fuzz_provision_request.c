/* The bodies of POST /provision, of POST /reset and of the page's form, with and without an Authorization header. */
#include "clock_judge.h"
#include "fuzz.h"
#include "provision_request.h"

#define AUTHORIZATION_MAX 64

static void check_accepted(const provision_request_t *request, bool token_optional)
{
    const provisioning_t *p = &request->provisioning;
    size_t password = strlen(p->wifi.password);
    MUST(p->wifi.ssid[0] != '\0' && strlen(p->wifi.ssid) <= PROV_SSID_MAX);
    MUST(password == 0 || (password >= 8 && password <= PROV_PASSWORD_MAX));
    MUST(request->device_id[0] != '\0' && strlen(request->device_id) <= PROV_DEVICE_ID_MAX);
    MUST(strlen(p->enrol.token) <= PROV_TOKEN_MAX && (token_optional || p->enrol.token[0] != '\0'));
    MUST(strlen(p->enrol.bearer) <= PROV_BEARER_MAX && strlen(p->enrol.attempt_id) <= PROV_ATTEMPT_ID_MAX);
    MUST(strlen(request->pairing_secret) <= PAIRING_SECRET_MAX);
    MUST(request->time == 0 || (request->time >= PROV_TIME_MIN && request->time <= PROV_TIME_MAX));
}

static void check_refused(const provision_request_t *request, const request_error_t *error)
{
    static const provision_request_t NOTHING;
    MUST(memcmp(request, &NOTHING, sizeof NOTHING) == 0);
    MUST(error->code != NULL && error->message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static provision_request_t request;
    input_t input = {.at = data, .left = size};
    request_error_t error = {0};
    static reset_request_t reset;
    uint8_t flags = take_byte(&input);
    bool token_optional = (flags & 1) != 0;
    char *authorization = (flags & 2) != 0 ? take_text(&input, take_byte(&input) % AUTHORIZATION_MAX) : NULL;
    size_t length = input.left;
    char *body = take_text(&input, length);
    memset(&request, 0xa5, sizeof request);
    cJSON *document = provision_request_document(body, length, &error);
    if (provision_request_read(document, authorization, token_optional, &request, &error)) {
        check_accepted(&request, token_optional);
    } else {
        check_refused(&request, &error);
    }
    memset(&request, 0xa5, sizeof request);
    document = provision_form_document(body, length, "d", &error);
    if (provision_request_read(document, NULL, token_optional, &request, &error)) {
        check_accepted(&request, token_optional);
    } else {
        check_refused(&request, &error);
    }
    if (!reset_request_parse(body, length, &reset, &error)) {
        MUST(error.code != NULL);
    }
    free(body);
    free(authorization);
    return 0;
}
