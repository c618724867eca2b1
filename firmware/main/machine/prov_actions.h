/* What the runner and the actions share. Everything here belongs to the state machine's task. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"
#include "broker_judge.h"
#include "device_clock.h"
#include "prov_event.h"
#include "prov_sm.h"
#include "prov_status.h"
#include "prov_timers.h"
#include "renewal.h"
#include "wifi_reasons.h"

/* No job takes that long; if its result is lost, the step is repeated. */
#define PROV_JOB_WATCHDOG_MS 180000

typedef struct {
    prov_status_t status; /* the working copy of the published snapshot; holds the state */
    wifi_credentials_t wifi;
    bool pending;          /* `wifi` has never worked */
    uint32_t pending_revision; /* of these credentials in the storage: a POST may have replaced them */
    bool attempt_running;  /* an association or its DHCP is under way */
    bool ap_up;
    bool mqtt_open;        /* accepted by the broker, which may have heard that the device is online */
    bool ap_offered;       /* once for the trouble that it is in */
    bool report_due;       /* an enrolment succeeded since the last report */
    uint32_t last_id;      /* given to a job */
    uint32_t job_id;       /* of the job whose result counts */
    uint32_t renewal_id;   /* the same for a renewal, which runs beside the others */
    renewal_t renewal;
    broker_trial_t trial;
    wifi_judge_t judge;
    backoff_t wifi_backoff;
    backoff_t clock_backoff;
    backoff_t backend_backoff;
    backoff_t broker_backoff;
    prov_timers_t timers;
} prov_context_t;

static inline void prov_start_timer(prov_context_t *c, prov_timer_t timer, uint32_t delay_ms)
{
    prov_timer_start(&c->timers, timer, device_clock_uptime_ms(), delay_ms);
}

/**
 * Carries out `actions`, a set of PROV_DO(), in the order of PROV_ACTIONS. False when the storage failed at a point
 * where going on would be wrong; the rest is then left undone.
 */
bool prov_actions_run(prov_context_t *context, uint64_t actions, const prov_msg_t *msg);

/* One function for each action; false ends the step. */
#define X(name, function, text) bool prov_do_##function(prov_context_t *context, const prov_msg_t *msg);
PROV_ACTIONS(X)
#undef X

/** A POST starts from nothing: what failed before it is not the fault of what it brought. */
void prov_actions_forget_failures(prov_context_t *context);
/** Closes the AP and its HTTP server at once. */
void prov_actions_ap_close(prov_context_t *context);
