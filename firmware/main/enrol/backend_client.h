/* The device's calls to its backend, over HTTPS with the pinned CA or the certificate bundle. */
#pragma once

#include <stdbool.h>

#include "backend_answer.h"
#include "prov_event.h"

typedef struct {
    backend_verdict_t verdict;
    prov_failure_t failure;
    char detail[PROV_DETAIL_MAX];
    certificate_t certificate; /* owned by the caller when verdict is OK */
} backend_result_t;

/**
 * POST <backend>/sign-csr. Blocks for up to a few times PROV_BACKEND_TIMEOUT_MS; needs 8 KiB of
 * stack (TLS). Takes over `token`, a text on the heap. The certificate in the result is not checked yet.
 */
void backend_client_sign_csr(char *token, backend_result_t *result);

/**
 * POST <backend>/renew-csr over mutual TLS with `current`, which must stay valid until this returns.
 * The rest is as with backend_client_sign_csr().
 */
void backend_client_renew(const certificate_t *current, backend_result_t *result);

/** POST <backend><report path>. Takes over `bearer`, a text on the heap. False when it failed; that is logged and has no other effect. */
bool backend_client_report(char *bearer, const char *json);
