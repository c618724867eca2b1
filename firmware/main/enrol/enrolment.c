#include "enrolment.h"

#include <stdio.h>

#include "certificate_choice.h"
#include "device_store.h"
#include "esp_log.h"

static const char *TAG = "jobs";

/** What the backend has signed is taken for nothing until it was checked. */
static void check_answer(backend_result_t *result)
{
    if (result->verdict != BACKEND_VERDICT_OK) {
        return;
    }
    certificate_verdict_t verdict = certificate_choice_judge(&result->certificate);
    if (verdict != CERTIFICATE_OK) {
        bool is_unknown = verdict == CERTIFICATE_NO_MEMORY;
        certificate_free(&result->certificate);
        result->verdict = is_unknown ? BACKEND_VERDICT_RETRY : BACKEND_VERDICT_REJECTED;
        result->failure = is_unknown ? PROV_FAILURE_BACKEND_BAD_RESPONSE : PROV_FAILURE_CERTIFICATE_MISMATCH;
        snprintf(result->detail, sizeof result->detail, "it %s", certificate_verdict_text(verdict));
        ESP_LOGW(TAG, "the signed certificate %s", certificate_verdict_text(verdict));
    }
}

/** Without a token there is nothing to ask the backend with. */
static void explain_missing_token(backend_result_t *result)
{
    certificate_verdict_t problem = certificate_choice_problem();
    if (problem == CERTIFICATE_NO_MEMORY) {
        return; /* there is one, and it may well be good */
    }
    result->verdict = BACKEND_VERDICT_REJECTED;
    if (problem == CERTIFICATE_EXPIRED) {
        result->failure = PROV_FAILURE_CERTIFICATE_EXPIRED;
    } else if (problem != CERTIFICATE_OK) {
        result->failure = PROV_FAILURE_CERTIFICATE_MISMATCH;
        snprintf(result->detail, sizeof result->detail, "it %s", certificate_verdict_text(problem));
    } else {
        result->failure = PROV_FAILURE_TOKEN_REJECTED;
        snprintf(result->detail, sizeof result->detail, "none is left, a new one is needed");
    }
}

void enrolment_sign(backend_result_t *result)
{
    char *token;
    bool loaded = device_store_load_secret(true, &token);
    if (token != NULL) {
        backend_client_sign_csr(token, result);
    } else if (loaded) {
        explain_missing_token(result);
    }
    check_answer(result);
}

/** A renewal has to last longer than what it replaces, or it would be asked for again and again. */
static bool ends_after(const certificate_t *certificate, int64_t end)
{
    int64_t not_before;
    int64_t not_after;
    return certificate_validity(certificate, &not_before, &not_after) == CERTIFICATE_OK &&
           not_after > end;
}

void enrolment_renew(backend_result_t *result)
{
    certificate_t current;
    certificate_in_use_t in_use;
    if (!certificate_choice_take(true, &current, &in_use)) {
        return;
    }
    ESP_LOGI(TAG, "renewing the certificate");
    backend_client_renew(&current, result);
    certificate_free(&current);
    check_answer(result);
    if (result->verdict == BACKEND_VERDICT_OK && !ends_after(&result->certificate, in_use.not_after)) {
        certificate_free(&result->certificate);
        result->verdict = BACKEND_VERDICT_RETRY;
        result->failure = PROV_FAILURE_BACKEND_BAD_RESPONSE;
        snprintf(result->detail, sizeof result->detail, "the new certificate ends no later");
    }
}

void enrolment_report(const char *json)
{
    char *bearer;
    bool loaded = device_store_load_secret(false, &bearer);
    if (bearer != NULL) {
        backend_client_report(bearer, json);
    } else if (!loaded) {
        ESP_LOGW(TAG, "no report to the backend: out of memory");
    }
}
