#include "runner_steps.h"

#include "device_clock.h"
#include "one_thread.h"
#include "runner_task.h"
#include "some_certificate.h"

void power_on(esp_err_t storage)
{
    settle();
    fakes_reset();
    CHECK(runner_power_on(storage));
}

void settle(void)
{
    while (g_queued > 0) {
        runner_round();
    }
}

void pass(int64_t ms)
{
    int64_t end_ms = g_uptime_ms + ms;
    while (g_uptime_ms + runner_wait_ms() <= end_ms) {
        runner_round();
    }
    g_uptime_ms = end_ms;
}

const fake_call_t *wait_call(const char *prefix, int64_t patience_ms)
{
    int64_t end_ms = g_uptime_ms + patience_ms;
    settle();
    const fake_call_t *call = fakes_take(prefix);
    while (call == NULL && g_uptime_ms < end_ms) {
        runner_round();
        call = fakes_take(prefix);
    }
    if (call == NULL) {
        fprintf(stderr, "    no \"%s\"\n", prefix);
    }
    return call;
}

void forget(void)
{
    settle();
    while (fakes_take("") != NULL) {
    }
}

/** Adds a call to a list, without its job's id; ", " stands between two. */
static void add_call(char *list, size_t size, const char *text)
{
    size_t length = strlen(list);
    size_t digits = strcspn(text, "0123456789");
    bool has_id = digits > 0 && text[digits - 1] == ' ';
    snprintf(list + length, size - length, "%s%.*s", length > 0 ? ", " : "",
             (int)(has_id ? digits - 1 : strlen(text)), text);
}

bool did(const char *calls)
{
    char list[512] = "";
    settle();
    for (const fake_call_t *call = fakes_take(""); call != NULL; call = fakes_take("")) {
        add_call(list, sizeof list, call->text);
    }
    if (strcmp(list, calls) != 0) {
        fprintf(stderr, "    it did \"%s\"\n", list);
    }
    return strcmp(list, calls) == 0;
}

bool stepped(const char *calls, prov_state_t state, prov_failure_t failure)
{
    prov_status_t before;
    bool is_timely = true;
    prov_status_get(&before);
    settle();
    for (int i = 0; fakes_peek(i) != NULL; i++) {
        const fake_call_t *call = fakes_peek(i);
        bool tells = strncmp(call->text, "status", 6) == 0 || strncmp(call->text, "report", 6) == 0;
        is_timely = is_timely && (call->status.state == state) == (tells || before.state == state);
    }
    if (!is_timely) {
        fprintf(stderr, "    others have seen the new state too soon, or too late\n");
    }
    return did(calls) && is_timely && wait_status(state, failure, 0) && runner_state() == state;
}

bool no_call(const char *prefix)
{
    settle();
    return !fakes_saw(prefix);
}

const prov_status_t *status(void)
{
    static prov_status_t s_seen;
    settle();
    prov_status_get(&s_seen);
    return &s_seen;
}

bool wait_status(prov_state_t state, prov_failure_t failure, int64_t patience_ms)
{
    int64_t end_ms = g_uptime_ms + patience_ms;
    const prov_status_t *seen = status();
    while ((seen->state != state || seen->failure != failure) && g_uptime_ms < end_ms) {
        runner_round();
        seen = status();
    }
    bool is_right = seen->state == state && seen->failure == failure;
    if (!is_right) {
        fprintf(stderr, "    it is in %s with %s\n", prov_state_name(seen->state), prov_failure_code(seen->failure));
    }
    return is_right;
}

static uint32_t id_of(const char *name, const fake_call_t *call)
{
    CHECK(call != NULL);
    return call != NULL ? (uint32_t)atoi(call->text + strlen(name)) : 0;
}

uint32_t job(const char *name)
{
    return id_of(name, wait_call(name, PATIENCE_MS));
}

uint32_t job_now(const char *name)
{
    return id_of(name, wait_call(name, 0));
}

uint32_t reach(prov_state_t state)
{
    uint32_t id = 0;
    *fakes_store() = (fake_store_t){0};
    power_on(ESP_OK);
    EXPECT_STATUS_NOW(AP_MODE, NONE);
    if (state >= PROV_STATE_WIFI_CONNECTING) {
        CHECK(provision("home", "reach") == PROV_CLAIM_OK);
        EXPECT("connect home");
    }
    if (state >= PROV_STATE_WIFI_CONNECTED) {
        link_up();
        id = job_now("clock ");
    }
    if (state >= PROV_STATE_CHECK_CERTIFICATES) {
        event(PROV_EVENT_CLOCK_READY, id);
        id = job_now("check ");
    }
    if (state >= PROV_STATE_SUBMIT_CSR) {
        event(PROV_EVENT_CERT_NEEDED, id);
        id = job_now("csr ");
    }
    if (state >= PROV_STATE_MQTT_CONNECTING) {
        send_certificate(id);
        id = job_now("mqtt_start ");
        in_use(id, device_clock_now() - 1000, device_clock_now() + 1000000, true, false);
    }
    if (state == PROV_STATE_MQTT_CONNECTED) {
        mqtt_up(id);
    }
    forget();
    CHECK(runner_state() == state);
    return id;
}

void event(prov_event_id_t id, uint32_t job_id)
{
    CHECK(prov_post(&(prov_msg_t){.event = id, .job_id = job_id, .failure = PROV_FAILURE_CLOCK_NOT_SET}));
}

void link_down(uint16_t reason)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = reason}));
}

void link_up(void)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_ASSOCIATED}));
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_UP, .ip = 0x0101a8c0}));
}

void backend_failed(uint32_t job_id, backend_verdict_t verdict, prov_failure_t failure)
{
    CHECK(prov_post(&(prov_msg_t){
        .kind = PROV_MSG_BACKEND_FAILED, .job_id = job_id, .failure = failure, .verdict = (int)verdict}));
}

void broker_failed(uint32_t job_id, prov_failure_t failure)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_BROKER_FAILED, .job_id = job_id, .failure = failure}));
}

void broker_denied(uint32_t job_id)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_BROKER_FAILED,
                                  .job_id = job_id,
                                  .failure = PROV_FAILURE_BROKER_REJECTED,
                                  .is_denied = true}));
}

void publishing(uint32_t job_id)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHING, .job_id = job_id}));
}

void acknowledged(uint32_t job_id)
{
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHED, .job_id = job_id}));
}

void mqtt_up(uint32_t job_id)
{
    event(PROV_EVENT_MQTT_ACCEPTED, job_id);
    EXPECT("status ");
    publishing(job_id);
    acknowledged(job_id);
}

void save_pending(const char *ssid, const char *attempt_id)
{
    fake_store_t *store = fakes_store();
    store->has_pending = true;
    store->pending_revision++;
    snprintf(store->pending.wifi.ssid, sizeof store->pending.wifi.ssid, "%s", ssid);
    snprintf(store->pending.wifi.password, sizeof store->pending.wifi.password, "%s",
             strcmp(ssid, "cafe") == 0 ? "" : "secret-pass");
    snprintf(store->pending.enrol.attempt_id, sizeof store->pending.enrol.attempt_id, "%s", attempt_id);
}

prov_claim_t provision(const char *ssid, const char *attempt_id)
{
    prov_claim_t claim = prov_status_claim(attempt_id);
    if (claim == PROV_CLAIM_OK) {
        save_pending(ssid, attempt_id);
        prov_status_accepted(attempt_id);
        CHECK(prov_post_event(PROV_EVENT_PROVISION));
    }
    return claim;
}

void send_certificate(uint32_t job_id)
{
    prov_msg_t msg = {.event = PROV_EVENT_ENROLLED, .job_id = job_id};
    msg.certificate = some_certificate('l', 4, 2);
    CHECK(prov_post(&msg));
}

void in_use(uint32_t id, int64_t not_before, int64_t not_after, bool is_new, bool has_fallback)
{
    CHECK(prov_post(&(prov_msg_t){
        .kind = PROV_MSG_CERTIFICATE,
        .job_id = id,
        .in_use = {.not_before = not_before, .not_after = not_after, .is_new = is_new, .has_fallback = has_fallback}}));
}

void send_renewed(uint32_t id)
{
    prov_msg_t msg = {.kind = PROV_MSG_RENEWED, .job_id = id};
    msg.certificate = some_certificate('l', 4, 2);
    CHECK(prov_post(&msg));
}
