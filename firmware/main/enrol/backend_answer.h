/* The backend's answer to POST /sign-csr. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "certificate_read.h"
#include "prov_failure.h"
#include "prov_state.h"

typedef enum {
    BACKEND_VERDICT_OK,
    BACKEND_VERDICT_RETRY,    /* may pass by itself */
    BACKEND_VERDICT_STUCK,    /* will not pass by itself, but a person can mend it at the other end */
    BACKEND_VERDICT_REJECTED, /* needs a new POST /provision */
} backend_verdict_t;

/**
 * What an answer means that is no certificate, or may be one; `failure` is NONE for 200 and 201. `is_refusal`: its body is
 * what backend_answer_is_refusal() takes. A request is refused by such an answer only: what stands between the device
 * and its backend, a firewall or a proxy, has pages of its own for the same statuses.
 */
backend_verdict_t backend_status_verdict(int http_status, bool is_refusal, prov_failure_t *failure);

/** Whether the body is `{"status":"error","code":"…"}`, with whatever else. */
bool backend_answer_is_refusal(const char *body, size_t length);

/** What to say of an answer with this status, in PROV_DETAIL_MAX bytes at most. */
void backend_status_detail(int http_status, bool is_refusal, char *detail, size_t size);

/** What a request without success is to the device, after so many in a row: ENROL_RETRY, ENROL_STUCK or ENROL_REJECTED. */
prov_event_id_t backend_judge(backend_verdict_t verdict, uint32_t failures, uint32_t max_attempts);

/**
 * Reads `{"certificate":{"content"},"ca_certificate":{"content"}}`, each content PEM text. The caller owns the certificate
 * unless there is a flaw.
 */
void backend_answer_parse(const char *body, size_t length, certificate_reading_t *reading);
