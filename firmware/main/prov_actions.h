/* What the runner and the actions share. Everything here belongs to the state machine's task. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "prov_event.h"
#include "prov_status.h"
#include "prov_timers.h"
#include "wifi_reasons.h"

typedef struct {
    prov_status_t status; /* the working copy of the published snapshot; holds the state */
    wifi_credentials_t wifi;
    bool pending;          /* `wifi` has never worked */
    bool attempt_running;  /* an association or its DHCP is under way */
    bool ap_up;
    bool report_due;       /* an enrolment succeeded since the last report */
    uint32_t job_id;       /* of the job whose result counts */
    wifi_judge_t judge;
    uint32_t backend_failures;
    uint32_t broker_failures;
    uint32_t clock_failures;
    prov_timers_t timers;
} prov_context_t;

/**
 * Carries out `actions` in the order of their bits. False when the storage failed at a point where
 * going on would be wrong; the rest is then left undone.
 */
bool prov_actions_run(prov_context_t *context, uint32_t actions, const prov_msg_t *msg);

/** Brings the AP and its HTTP server up, now and again later if that fails. */
void prov_actions_ap_start(prov_context_t *context);
void prov_actions_ap_stop(prov_context_t *context);
