#include "backend_answer.h"

#include <string.h>

#include "json_guard.h"

backend_verdict_t backend_status_verdict(int http_status, prov_failure_t *failure)
{
    switch (http_status) {
    case 200:
    case 201:
        *failure = PROV_FAILURE_NONE;
        return BACKEND_VERDICT_OK;
    case 401:
    case 403:
        *failure = PROV_FAILURE_TOKEN_REJECTED;
        return BACKEND_VERDICT_REJECTED;
    case 400:
    case 409:
    case 413:
    case 415:
    case 422:
        *failure = PROV_FAILURE_CSR_REJECTED;
        return BACKEND_VERDICT_REJECTED;
    case 408:
    case 425:
    case 429:
        *failure = PROV_FAILURE_BACKEND_ERROR;
        return BACKEND_VERDICT_RETRY;
    default:
        *failure = PROV_FAILURE_BACKEND_ERROR;
        /* Redirects and 404 come from a wrong address or proxy: trying again does not mend them. */
        return http_status >= 500 && http_status <= 599 ? BACKEND_VERDICT_RETRY : BACKEND_VERDICT_STUCK;
    }
}

prov_event_id_t backend_judge(backend_verdict_t verdict, uint32_t failures, uint32_t max_attempts)
{
    if (verdict == BACKEND_VERDICT_REJECTED) {
        return PROV_EVENT_ENROL_REJECTED;
    }
    return verdict == BACKEND_VERDICT_STUCK || failures >= max_attempts ? PROV_EVENT_ENROL_STUCK : PROV_EVENT_ENROL_RETRY;
}

static const char *pem_of(const cJSON *root, const char *name)
{
    const cJSON *holder = cJSON_GetObjectItemCaseSensitive(root, name);
    const char *pem = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(holder, "content"));
    return pem != NULL && strstr(pem, "-----BEGIN CERTIFICATE-----") != NULL ? pem : NULL;
}

static const char *read_answer(const cJSON *root, certificate_t *out)
{
    const char *certificate_pem = pem_of(root, "certificate");
    const char *ca_pem = pem_of(root, "ca_certificate");
    if (certificate_pem == NULL || ca_pem == NULL || json_has_duplicate_keys(root)) {
        return "not the expected JSON";
    }
    if (strlen(certificate_pem) > PROV_PEM_MAX) {
        return "certificate: over " PROV_LIMIT_TEXT(PROV_PEM_MAX) " bytes";
    }
    if (strlen(ca_pem) > PROV_PEM_MAX) {
        return "ca_certificate: over " PROV_LIMIT_TEXT(PROV_PEM_MAX) " bytes";
    }
    return certificate_make(certificate_pem, ca_pem, out) ? NULL : "out of memory";
}

const char *backend_answer_parse(const char *body, size_t length, certificate_t *out)
{
    json_guard_t verdict = JSON_GUARD_OK;
    *out = (certificate_t){0};
    cJSON *root = json_parse_object(body, length, &verdict);
    const char *flaw = verdict == JSON_GUARD_NO_MEMORY ? "out of memory" : read_answer(root, out);
    cJSON_Delete(root);
    return flaw;
}
