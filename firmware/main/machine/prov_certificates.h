/* What the state machine's task does with the certificates in storage. */
#pragma once

#include "prov_actions.h"

/** Takes note of the certificate that the broker is about to be shown, and of when to renew it. */
void prov_certificates_in_use(prov_context_t *context, const certificate_in_use_t *in_use);
/** Looks again at the lifetime of the certificate in use after `delay_ms`, or when it ends. */
void prov_certificates_watch(prov_context_t *context, int64_t delay_ms);
