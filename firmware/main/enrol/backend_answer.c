#include "backend_answer.h"

#include <stdio.h>
#include <string.h>

#include "json_guard.h"

backend_verdict_t backend_status_verdict(int http_status, bool is_refusal, prov_failure_t *failure)
{
    *failure = PROV_FAILURE_BACKEND_ERROR;
    switch (http_status) {
    case 200:
    case 201:
        *failure = PROV_FAILURE_NONE;
        return BACKEND_VERDICT_OK;
    case 401:
    case 403:
        *failure = is_refusal ? PROV_FAILURE_TOKEN_REJECTED : PROV_FAILURE_BACKEND_ERROR;
        return is_refusal ? BACKEND_VERDICT_REJECTED : BACKEND_VERDICT_RETRY;
    case 400:
    case 409:
    case 413:
    case 415:
    case 422:
        *failure = is_refusal ? PROV_FAILURE_CSR_REJECTED : PROV_FAILURE_BACKEND_ERROR;
        return is_refusal ? BACKEND_VERDICT_REJECTED : BACKEND_VERDICT_RETRY;
    case 408:
    case 425:
    case 429:
        return BACKEND_VERDICT_RETRY;
    default:
        /* Redirects and 404 come from a wrong address or proxy: trying again does not mend them. */
        return http_status >= 500 && http_status <= 599 ? BACKEND_VERDICT_RETRY : BACKEND_VERDICT_STUCK;
    }
}

void backend_status_detail(int http_status, bool is_refusal, char *detail, size_t size)
{
    prov_failure_t failure;
    bool is_disguised = !is_refusal && backend_status_verdict(http_status, true, &failure) == BACKEND_VERDICT_REJECTED;
    bool is_redirect = http_status >= 300 && http_status <= 399;
    snprintf(detail, size, "HTTP %d%s", http_status,
             is_disguised ? ", and not the backend's JSON" : is_redirect ? ": redirects are not followed" : "");
}

bool backend_answer_is_refusal(const char *body, size_t length)
{
    json_guard_t verdict = JSON_GUARD_OK;
    cJSON *root = json_parse_object(body, length, &verdict);
    const char *status = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "status"));
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "code"));
    bool is_refusal = status != NULL && code != NULL && strcmp(status, "error") == 0 && code[0] != '\0';
    cJSON_Delete(root);
    return is_refusal;
}

prov_event_id_t backend_judge(backend_verdict_t verdict, uint32_t failures, uint32_t max_attempts)
{
    if (verdict == BACKEND_VERDICT_REJECTED) {
        return PROV_EVENT_ENROL_REJECTED;
    }
    return verdict == BACKEND_VERDICT_STUCK || failures >= max_attempts ? PROV_EVENT_ENROL_STUCK : PROV_EVENT_ENROL_RETRY;
}

/** The text to read the certificates from, which reading them changes; NULL when there is none. */
static char *content_of(const cJSON *holder)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(holder, "content"));
}

static bool has_twins(const cJSON *value)
{
    return cJSON_IsObject(value) && json_has_duplicate_keys(value);
}

static void read_answer(const cJSON *root, certificate_reading_t *reading)
{
    const cJSON *own = cJSON_GetObjectItemCaseSensitive(root, "certificate");
    const cJSON *ca = cJSON_GetObjectItemCaseSensitive(root, "ca_certificate");
    char *certificate_pem = content_of(own);
    char *ca_pem = content_of(ca);
    bool is_ambiguous = has_twins(root) || has_twins(own) || has_twins(ca);
    const char *flaw = root == NULL              ? "not JSON"
                       : is_ambiguous            ? "a name stands there twice"
                       : certificate_pem == NULL ? "certificate: missing"
                       : ca_pem == NULL          ? "ca_certificate: missing"
                                                 : NULL;
    if (flaw != NULL) {
        snprintf(reading->flaw, sizeof reading->flaw, "%s", flaw);
    } else if (certificate_read(certificate_pem, ca_pem, reading) == CERTIFICATE_NO_MEMORY) {
        snprintf(reading->flaw, sizeof reading->flaw, "out of memory");
    }
}

void backend_answer_parse(const char *body, size_t length, certificate_reading_t *reading)
{
    json_guard_t verdict = JSON_GUARD_OK;
    *reading = (certificate_reading_t){0};
    cJSON *root = json_parse_object(body, length, &verdict);
    if (verdict == JSON_GUARD_NO_MEMORY) {
        snprintf(reading->flaw, sizeof reading->flaw, "out of memory");
    } else {
        read_answer(root, reading);
    }
    cJSON_Delete(root);
}
