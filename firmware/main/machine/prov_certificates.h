/* What the state machine's task does with the certificates in storage. */
#pragma once

#include "prov_actions.h"

/** Stores what the backend has signed, for the broker to prove; takes over `msg->certificate`. False: not stored. */
bool prov_certificates_store(prov_context_t *context, const prov_msg_t *msg);
/** The one in use works: a new one becomes the active one, or goes when it has failed beside that. */
void prov_certificates_prove(prov_context_t *context);

/** Takes note of the certificate that is about to be used, and of when to renew it. */
void prov_certificates_plan_renewal(prov_context_t *context, const certificate_in_use_t *in_use);
/** Looks again at the lifetime of the certificate in use after `delay_ms`, or when it ends. */
void prov_certificates_watch(prov_context_t *context, int64_t delay_ms);
void prov_certificates_renew(prov_context_t *context);
void prov_certificates_renew_later(prov_context_t *context);
