/* What is asked of the backend, with the secrets in storage, and what of its answers is taken. For the network task. */
#pragma once

#include "backend_client.h"

/**
 * Asks for a certificate with the provisioning token; what comes is checked, and belongs to the caller. `result` stays as
 * it is when the storage does not tell what to ask with.
 */
void enrolment_sign(backend_result_t *result);

/** The same for a successor of the certificate that has worked, or else of the new one, as the token is spent. */
void enrolment_renew(backend_result_t *result);

/** Reports to the backend, if it has given a Bearer. */
void enrolment_report(const char *json);
