/* Which of the certificates in storage is used, and whether a new one is needed. Belongs to the network task. */
#pragma once

#include "certificate_check.h"
#include "prov_event.h"

/** Judges a certificate by this device's key and name, and by the clock. */
certificate_verdict_t certificate_choice_judge(const certificate_t *certificate);

/**
 * CERT_READY or CERT_NEEDED, or CLOCK_FAILED when one is there that begins in the future. What cannot be used is dropped.
 */
prov_event_id_t certificate_choice_check(void);

/**
 * The new certificate if there is one, else the one that has worked; with `prefers_old` the other way round. Says what
 * it is; the caller frees it. False when there is none that has not expired.
 */
bool certificate_choice_take(bool prefers_old, certificate_t *certificate, certificate_in_use_t *in_use);

/** Why the stored certificate cannot be used, as seen last; CERTIFICATE_OK when there is none. */
certificate_verdict_t certificate_choice_problem(void);
