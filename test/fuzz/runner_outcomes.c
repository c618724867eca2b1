/* What the world does: how jobs end, what broker and radio report, and what a person asks for. */
#include "backend_answer.h"
#include "device_clock.h"
#include "fuzz.h"
#include "prov_mailbox.h"
#include "prov_records.h"
#include "prov_status.h"
#include "one_thread.h"
#include "runner_world.h"
#include "some_certificate.h"

#define ROOM_FOR_OTHERS 12 /* messages that only come when the task is not behind */

bool world_post(const prov_msg_t *msg)
{
    bool is_posted = g_queued < ROOM_FOR_OTHERS && prov_post(msg);
    if (!is_posted) {
        prov_msg_release(msg);
    }
    return is_posted;
}

static certificate_t make_certificate(void)
{
    certificate_t certificate = some_certificate('c', 1, 1);
    MUST(certificate.record != NULL);
    return certificate;
}

static prov_failure_t some_failure(uint8_t choice)
{
    return (prov_failure_t)(1 + choice % (PROV_FAILURE_COUNT - 1));
}

static void start_mqtt(uint32_t id, uint8_t choice, bool prefers_old)
{
    prov_msg_t chosen = {.kind = PROV_MSG_CERTIFICATE, .job_id = id};
    bool is_short = (choice & 0x80) != 0;
    chosen.in_use = (certificate_in_use_t){.not_before = NOW - 3600,
                                           .not_after = device_clock_now() + (is_short ? 2 : 86400),
                                           .is_new = g_flash.has_new && !(prefers_old && g_flash.has_active),
                                           .has_fallback = g_flash.has_new && g_flash.has_active};
    if (!world_post(&chosen)) {
        return; /* as in net_jobs.c: the outcome would be taken for another certificate's */
    }
    g_world.mqtt_id = id;
    g_world.mqtt_accepted = false;
    g_world.mqtt_up = false;
    g_world.mqtt_is_new = chosen.in_use.is_new;
}

void world_finish_job(uint8_t choice)
{
    net_job_kind_t kind = g_world.jobs[0].kind;
    uint32_t id = g_world.jobs[0].id;
    bool good = choice % 2 == 0;
    prov_failure_t failure = good ? PROV_FAILURE_NONE : some_failure(choice / 2);
    memmove(&g_world.jobs[0], &g_world.jobs[1], --g_world.jobs_queued * sizeof g_world.jobs[0]);
    switch (kind) {
    case NET_JOB_SYNC_CLOCK:
        world_post(&(prov_msg_t){
            .event = good ? PROV_EVENT_CLOCK_READY : PROV_EVENT_CLOCK_FAILED, .job_id = id, .failure = failure});
        break;
    case NET_JOB_CHECK_CERTIFICATE: {
        bool is_usable = g_flash.has_new || (g_flash.has_active && !g_flash.has_token);
        prov_event_id_t event = good && is_usable ? PROV_EVENT_CERT_READY : PROV_EVENT_CERT_NEEDED;
        world_post(&(prov_msg_t){.event = event, .job_id = id});
        break;
    }
    case NET_JOB_SUBMIT_CSR:
        if (good && g_flash.has_token) {
            world_post(&(prov_msg_t){.event = PROV_EVENT_ENROLLED, .job_id = id, .certificate = make_certificate()});
        } else {
            int verdict = !good ? 1 + choice % 3 : (int)BACKEND_VERDICT_REJECTED;
            world_post(&(prov_msg_t){
                .kind = PROV_MSG_BACKEND_FAILED, .job_id = id, .failure = some_failure(choice), .verdict = verdict});
        }
        break;
    case NET_JOB_MQTT_START:
    case NET_JOB_MQTT_START_OLD:
        if (!g_flash.has_new && !g_flash.has_active) {
            world_post(&(prov_msg_t){.event = PROV_EVENT_CERT_NEEDED, .job_id = id});
        } else {
            start_mqtt(id, choice, kind == NET_JOB_MQTT_START_OLD);
        }
        break;
    case NET_JOB_RENEW:
        if (good) {
            world_post(&(prov_msg_t){.kind = PROV_MSG_RENEWED, .job_id = id, .certificate = make_certificate()});
        } else {
            world_post(&(prov_msg_t){.event = PROV_EVENT_RENEW_FAILED, .job_id = id, .failure = failure});
        }
        break;
    default:
        MUST(!"a job without an outcome");
    }
}

void world_broker(uint8_t choice)
{
    if (g_world.mqtt_id == 0) {
        return;
    }
    if (choice % 2 == 0 && !g_world.mqtt_accepted) {
        world_post(&(prov_msg_t){.event = PROV_EVENT_MQTT_ACCEPTED, .job_id = g_world.mqtt_id});
        world_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHING, .job_id = g_world.mqtt_id});
        g_world.mqtt_accepted = true;
    } else if (choice % 2 == 0) {
        g_world.mqtt_up |= world_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHED, .job_id = g_world.mqtt_id});
    } else if (world_post(&(prov_msg_t){.kind = PROV_MSG_BROKER_FAILED,
                                        .job_id = g_world.mqtt_id,
                                        .failure = some_failure(choice / 4),
                                        .is_denied = choice % 4 == 3})) {
        g_world.mqtt_id = 0;
    }
}

void world_radio(uint8_t choice)
{
    static const uint16_t REASONS[] = {2, 8, 14, 15, 200, 201, 202, 204, 210, 211, 212, 255};
    if (!g_world.is_wanted) {
        return;
    }
    switch (choice % 4) {
    case 0:
        world_post(&(prov_msg_t){.kind = PROV_MSG_LINK_ASSOCIATED});
        break;
    case 1:
        world_post(&(prov_msg_t){.kind = PROV_MSG_LINK_UP, .ip = 0x0100007f});
        break;
    default:
        world_post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = REASONS[choice / 4 % (sizeof REASONS / 2)]});
        break;
    }
}

void world_provision(bool is_open)
{
    bool is_reachable = g_world.ap_up && g_world.server_up && g_queued < ROOM_FOR_OTHERS;
    if (!is_reachable || prov_status_claim("") != PROV_CLAIM_OK) {
        return;
    }
    if (g_world.store_fails) {
        prov_status_unclaim();
        return;
    }
    g_flash.has_pending = true;
    g_flash.is_pending_open = is_open;
    g_flash.revision++;
    prov_status_accepted("");
    MUST(prov_post_event(PROV_EVENT_PROVISION));
}
