/* What test_runner.c tells the runner, as the modules around it would, and what it waits for. */
#pragma once

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "backend_answer.h"
#include "check.h"
#include "fakes.h"
#include "prov_mailbox.h"
#include "prov_runner.h"
#include "prov_status.h"
#include "wifi_reasons.h"

#define EXPECT(prefix) CHECK(fakes_wait(prefix) != NULL)

static prov_status_t s_status;

/** Waits until the published status satisfies the last condition; false after 10 s. */
static bool wait_status(prov_state_t state, prov_failure_t failure)
{
    for (int i = 0; i < 10000; i++) {
        prov_status_get(&s_status);
        if (s_status.state == state && s_status.failure == failure) {
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    fprintf(stderr, "    it is in %s with %s\n", prov_state_name(s_status.state), prov_failure_code(s_status.failure));
    return false;
}

#define EXPECT_STATUS(state, failure) CHECK(wait_status(PROV_STATE_##state, PROV_FAILURE_##failure))

/** Waits for a job and returns its id. */
static uint32_t job(const char *name)
{
    const char *call = fakes_wait(name);
    CHECK(call != NULL);
    return call != NULL ? (uint32_t)atoi(call + strlen(name)) : 0;
}

static void event(prov_event_id_t id, uint32_t job_id)
{
    CHECK(prov_post(&(prov_msg_t){.event = id, .job_id = job_id, .failure = PROV_FAILURE_CLOCK_NOT_SET}));
}

static void link_down(uint16_t reason)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = reason}));
}

static void link_up(void)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_ASSOCIATED}));
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_UP, .ip = 0x0101a8c0}));
}

static void backend_failed(uint32_t job_id, backend_verdict_t verdict, prov_failure_t failure)
{
    CHECK(prov_post(&(prov_msg_t){
        .kind = PROV_MSG_BACKEND_FAILED, .job_id = job_id, .failure = failure, .verdict = (int)verdict}));
}

static void broker_failed(uint32_t job_id, prov_failure_t failure)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_BROKER_FAILED, .job_id = job_id, .failure = failure}));
}

static void broker_denied(uint32_t job_id)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_BROKER_FAILED,
                                  .job_id = job_id,
                                  .failure = PROV_FAILURE_BROKER_REJECTED,
                                  .is_denied = true}));
}

static void publishing(uint32_t job_id)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHING, .job_id = job_id}));
}

static void acknowledged(uint32_t job_id)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHED, .job_id = job_id}));
}

/** The broker accepts the connection, and the first status message gets through. */
static void mqtt_up(uint32_t job_id)
{
    event(PROV_EVENT_MQTT_ACCEPTED, job_id);
    EXPECT("status ");
    publishing(job_id);
    acknowledged(job_id);
}

static void save_pending(const char *ssid, const char *attempt_id)
{
    fake_store_t store = fakes_store();
    store.has_pending = true;
    store.pending_revision++;
    snprintf(store.pending.wifi.ssid, sizeof store.pending.wifi.ssid, "%s", ssid);
    snprintf(store.pending.wifi.password, sizeof store.pending.wifi.password, "%s",
             strcmp(ssid, "cafe") == 0 ? "" : "secret-pass");
    snprintf(store.pending.enrol.attempt_id, sizeof store.pending.enrol.attempt_id, "%s", attempt_id);
    fakes_store_set(&store);
}

/** What the HTTP server does on POST /provision. */
static prov_claim_t provision(const char *ssid, const char *attempt_id)
{
    prov_claim_t claim = prov_status_claim(attempt_id);
    if (claim == PROV_CLAIM_OK) {
        save_pending(ssid, attempt_id);
        prov_status_accepted(attempt_id);
        CHECK(prov_post_event(PROV_EVENT_PROVISION));
    }
    return claim;
}

static void send_certificate(uint32_t job_id)
{
    prov_msg_t msg = {.event = PROV_EVENT_ENROLLED, .job_id = job_id};
    CHECK(certificate_make("leaf", "ca", &msg.certificate));
    CHECK(prov_post(&msg));
}
