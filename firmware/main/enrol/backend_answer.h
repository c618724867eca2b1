/* The backend's answer to POST /sign-csr. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "prov_failure.h"
#include "prov_records.h"
#include "prov_state.h"

typedef enum {
    BACKEND_VERDICT_OK,
    BACKEND_VERDICT_RETRY,    /* may pass by itself */
    BACKEND_VERDICT_STUCK,    /* will not pass by itself, but a person can mend it at the other end */
    BACKEND_VERDICT_REJECTED, /* needs a new POST /provision */
} backend_verdict_t;

/** What an HTTP status means; `failure` is NONE for 200 and 201. */
backend_verdict_t backend_status_verdict(int http_status, prov_failure_t *failure);

/** What a request without success is to the device, after so many in a row: ENROL_RETRY, ENROL_STUCK or ENROL_REJECTED. */
prov_event_id_t backend_judge(backend_verdict_t verdict, uint32_t failures, uint32_t max_attempts);

/**
 * Parses `{"certificate":{"content"},"ca_certificate":{"content"}}`, each content PEM text. NULL when the caller owns
 * `out` now, else what is wrong with the answer.
 */
const char *backend_answer_parse(const char *body, size_t length, certificate_t *out);
