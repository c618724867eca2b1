/* What the tests of the runner tell it, as the modules around it would, and what they wait for. */
#pragma once

#include "backend_answer.h"
#include "check.h"
#include "fakes.h"
#include "prov_mailbox.h"
#include "prov_status.h"
#include "sdkconfig.h"
#include "wifi_reasons.h"

/** Long enough for whatever the machine does by itself, the watchdog of its jobs included. */
#define PATIENCE_MS (10 * 60 * 1000)

/* What the machine does to open its AP, and to close it. */
#define AP_OPENS "ap_start, http_start, dns_start"
#define AP_CLOSES "dns_stop, http_stop, ap_stop"

/* How long things take with config/sdkconfig.h, and with the faked esp_random(), which makes 17 ms of the first backoffs. */
#define BACKOFF_MS 17
#define SLOW_BACKOFF_MS 27
#define WINDOW_MS (CONFIG_PROV_AP_WINDOW_S * 1000)
#define FALLBACK_MS (CONFIG_PROV_FALLBACK_AP_S * 1000)
#define STATUS_MS (CONFIG_PROV_MQTT_STATUS_INTERVAL_S * 1000)
#define AP_GRACE_MS 500

/** A device starts, with what the faked storage holds; calls before that are forgotten. */
void power_on(esp_err_t storage);

/** The machine serves what it has been told; no time passes. */
void settle(void);

/** Lets time pass, with all that happens meanwhile. */
void pass(int64_t ms);

/** The next call with that prefix, which has to come within `patience_ms`; NULL otherwise. */
const fake_call_t *wait_call(const char *prefix, int64_t patience_ms);

/** Forgets the calls so far. */
void forget(void);

/**
 * The calls since the last ones that were looked at, without the ids of jobs, are exactly these: "mqtt_leave, connect
 * home". Tells them, if they are not.
 */
bool did(const char *calls);

/**
 * The same, of one step of the machine, which leads to `state`: nobody has seen that before all calls were made but those
 * that tell of it.
 */
bool stepped(const char *calls, prov_state_t state, prov_failure_t failure);

/** No call with that prefix has come, now that all messages are served. */
bool no_call(const char *prefix);

/** What others see of the device. */
const prov_status_t *status(void);

/** They see that, `patience_ms` from now at the latest. */
bool wait_status(prov_state_t state, prov_failure_t failure, int64_t patience_ms);

#define EXPECT(prefix) CHECK(wait_call(prefix, PATIENCE_MS) != NULL)
#define EXPECT_NOW(prefix) CHECK(wait_call(prefix, 0) != NULL)
#define DID(calls) CHECK_CASE(did(calls), calls)
#define STEP(calls, state, failure) CHECK_CASE(stepped(calls, PROV_STATE_##state, PROV_FAILURE_##failure), #state " " calls)
/** Not a millisecond before. */
#define AFTER(ms, calls)  \
    do {                  \
        pass((ms) - 1);   \
        DID("");          \
        pass(1);          \
        DID(calls);       \
    } while (0)
#define EXPECT_NONE(prefix) CHECK(no_call(prefix))
#define EXPECT_STATUS(state, failure) CHECK(wait_status(PROV_STATE_##state, PROV_FAILURE_##failure, PATIENCE_MS))
#define EXPECT_STATUS_NOW(state, failure) CHECK(wait_status(PROV_STATE_##state, PROV_FAILURE_##failure, 0))

/** Waits for a job and returns its id. */
uint32_t job(const char *name);
/** The same for one that is asked for at once. */
uint32_t job_now(const char *name);

/** A device without a past gets as far as that in a good world. Returns the job that it waits for there, if any. */
uint32_t reach(prov_state_t state);

void event(prov_event_id_t id, uint32_t job_id);
void link_down(uint16_t reason);
void link_up(void);
void backend_failed(uint32_t job_id, backend_verdict_t verdict, prov_failure_t failure);
void broker_failed(uint32_t job_id, prov_failure_t failure);
void broker_denied(uint32_t job_id);
void publishing(uint32_t job_id);
void acknowledged(uint32_t job_id);
/** The broker accepts the connection, and the first status message gets through. */
void mqtt_up(uint32_t job_id);
void in_use(uint32_t job_id, int64_t not_before, int64_t not_after, bool is_new, bool has_fallback);
void send_certificate(uint32_t job_id);
void send_renewed(uint32_t job_id);

void save_pending(const char *ssid, const char *attempt_id);
/** What the HTTP server does on POST /provision. */
prov_claim_t provision(const char *ssid, const char *attempt_id);
