/* The edges from a network to the broker and back: what the machine does at each, and when. */
#include "device_clock.h"
#include "prov_actions.h"
#include "runner_scenarios.h"
#include "runner_steps.h"

/** The AP that a POST has left open closes; nobody comes. */
static void close_ap(prov_state_t state)
{
    pass(WINDOW_MS + AP_GRACE_MS);
    DID(AP_CLOSES);
    CHECK(status()->state == state);
}

static void test_clock(void)
{
    uint32_t id = reach(PROV_STATE_WIFI_CONNECTED);
    close_ap(PROV_STATE_WIFI_CONNECTED);
    event(PROV_EVENT_CLOCK_FAILED, id);
    STEP(AP_OPENS, WIFI_CONNECTED, CLOCK_NOT_SET); /* it has never been online: somebody may help */
    AFTER(BACKOFF_MS, "clock");
    STEP("", WIFI_CONNECTED, CLOCK_NOT_SET);
    close_ap(PROV_STATE_WIFI_CONNECTED);
    event(PROV_EVENT_CLOCK_FAILED, 0);
    STEP("", WIFI_CONNECTED, CLOCK_NOT_SET); /* once for this trouble */
    pass(BACKOFF_MS);
    event(PROV_EVENT_CLOCK_READY, job_now("clock "));
    STEP("save_clock, check", CHECK_CERTIFICATES, NONE);
}

static void test_certificate_check(void)
{
    uint32_t id = reach(PROV_STATE_CHECK_CERTIFICATES);
    event(PROV_EVENT_CLOCK_FAILED, id); /* a certificate from the future */
    STEP("", WIFI_CONNECTED, CLOCK_NOT_SET);
    AFTER(BACKOFF_MS, "clock");
    reach(PROV_STATE_CHECK_CERTIFICATES);
    close_ap(PROV_STATE_CHECK_CERTIFICATES);
    AFTER(PROV_JOB_WATCHDOG_MS - WINDOW_MS - AP_GRACE_MS, "check"); /* its result is lost */
    STEP("", CHECK_CERTIFICATES, NONE);
    event(PROV_EVENT_CERT_NEEDED, 0);
    STEP("csr", SUBMIT_CSR, NONE);
    id = reach(PROV_STATE_CHECK_CERTIFICATES);
    event(PROV_EVENT_CERT_READY, id);
    STEP("mqtt_start", MQTT_CONNECTING, NONE);
}

static void test_enrolment_goes_wrong(void)
{
    uint32_t id = reach(PROV_STATE_SUBMIT_CSR);
    close_ap(PROV_STATE_SUBMIT_CSR);
    for (int i = 0; i < 2; i++) {
        backend_failed(id, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR);
        STEP("", SUBMIT_CSR, NONE);
        CHECK(status()->attempts_remaining == 2 - i);
        pass(BACKOFF_MS - 1);
        DID("");
        pass(1);
        id = job_now("csr ");
        STEP("", SUBMIT_CSR, NONE);
    }
    backend_failed(id, BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR);
    STEP(AP_OPENS, SUBMIT_CSR, BACKEND_ERROR);
    AFTER(SLOW_BACKOFF_MS, "csr");
    close_ap(PROV_STATE_SUBMIT_CSR);
    backend_failed(0, BACKEND_VERDICT_STUCK, PROV_FAILURE_BACKEND_ERROR);
    STEP("", SUBMIT_CSR, BACKEND_ERROR); /* it has been offered */
    pass(SLOW_BACKOFF_MS);
    send_certificate(job_now("csr "));
    STEP("save_certificate, confirm_new_clock, mqtt_start", MQTT_CONNECTING, NONE);
    CHECK(status()->certificate);
}

/** A verdict on a device that was online: it says so, offers its AP, and tries again what has worked. */
static void test_enrolment_is_rejected(void)
{
    uint32_t id = reach(PROV_STATE_MQTT_CONNECTED);
    pass(900);
    broker_failed(id, PROV_FAILURE_BROKER_LOST);
    pass(BACKOFF_MS);
    event(PROV_EVENT_CERT_NEEDED, job_now("mqtt_start "));
    STEP("csr", SUBMIT_CSR, NONE);
    CHECK(status()->cert_not_after != 0);
    backend_failed(0, BACKEND_VERDICT_REJECTED, PROV_FAILURE_TOKEN_REJECTED);
    STEP("mqtt_leave, disconnect, spend_token, " AP_OPENS, AP_MODE, TOKEN_REJECTED);
    CHECK(status()->cert_not_after == 0);
    AFTER(1000, "connect home");
}

static void test_first_connection(void)
{
    uint32_t id = reach(PROV_STATE_MQTT_CONNECTING);
    event(PROV_EVENT_MQTT_ACCEPTED, id);
    settle();
    CHECK(fakes_peek(0) != NULL && fakes_peek(0)->status.cert_not_after != 0);
    STEP("status", MQTT_CONNECTING, NONE);
    acknowledged(id);
    STEP("promote, confirm_clock, report", MQTT_CONNECTED, NONE);
    pass(CONFIG_PROV_AP_LINGER_MS);
    STEP("", MQTT_CONNECTED, NONE);
    AFTER(AP_GRACE_MS, AP_CLOSES);
    AFTER(STATUS_MS - CONFIG_PROV_AP_LINGER_MS - AP_GRACE_MS, "status");
    STEP("", MQTT_CONNECTED, NONE);
    reach(PROV_STATE_MQTT_CONNECTED);
    event(PROV_EVENT_STATUS_READ, 0);
    STEP("", MQTT_CONNECTED, NONE);
    AFTER(AP_GRACE_MS, AP_CLOSES);
}

/** Each way to lose the broker, from a connection that it had accepted. */
static void test_broker_goes(void)
{
    uint32_t id = reach(PROV_STATE_MQTT_CONNECTED);
    pass(900);
    forget();
    broker_failed(id, PROV_FAILURE_BROKER_LOST);
    STEP("mqtt_leave", MQTT_CONNECTING, NONE);
    CHECK(status()->last_failure == PROV_FAILURE_BROKER_LOST);
    pass(BACKOFF_MS - 1);
    DID("");
    pass(1);
    id = job_now("mqtt_start ");
    STEP("", MQTT_CONNECTING, NONE);
    event(PROV_EVENT_MQTT_ACCEPTED, id);
    STEP("status", MQTT_CONNECTING, NONE);
    broker_failed(id, PROV_FAILURE_PUBLISH_REFUSED);
    STEP("mqtt_leave", MQTT_CONNECTING, NONE);
    CHECK(status()->last_failure == PROV_FAILURE_PUBLISH_REFUSED);
    pass(BACKOFF_MS - 1);
    DID("");
    pass(1);
    id = job_now("mqtt_start ");
    mqtt_up(id);
    EXPECT_STATUS_NOW(MQTT_CONNECTED, NONE);
}

static void test_broker_is_stuck(void)
{
    uint32_t id = reach(PROV_STATE_MQTT_CONNECTING);
    close_ap(PROV_STATE_MQTT_CONNECTING);
    event(PROV_EVENT_MQTT_ACCEPTED, id);
    DID("status");
    broker_failed(id, PROV_FAILURE_BROKER_UNTRUSTED);
    STEP("mqtt_leave", MQTT_CONNECTING, BROKER_UNTRUSTED);
    AFTER(BACKOFF_MS, "mqtt_start");
    STEP("", MQTT_CONNECTING, BROKER_UNTRUSTED);
    event(PROV_EVENT_MQTT_ACCEPTED, 0);
    DID("status");
    broker_failed(0, PROV_FAILURE_BROKER_UNREACHABLE);
    STEP("mqtt_leave, " AP_OPENS, MQTT_CONNECTING, BROKER_UNREACHABLE);
    AFTER(BACKOFF_MS, "mqtt_start");
    close_ap(PROV_STATE_MQTT_CONNECTING);
    broker_failed(0, PROV_FAILURE_BROKER_REJECTED);
    STEP("mqtt_leave", MQTT_CONNECTING, BROKER_REJECTED); /* it has been offered */
}

static void fail_renewal(void)
{
    CHECK(prov_post(&(prov_msg_t){.event = PROV_EVENT_RENEW_FAILED, .failure = PROV_FAILURE_BACKEND_UNREACHABLE}));
}

/** Beside the connection, and beside the attempts at one. */
static void test_renewal(void)
{
    uint32_t id = reach(PROV_STATE_MQTT_CONNECTING);
    in_use(id, device_clock_now() - 9000, device_clock_now() + 100, true, false);
    STEP("renew", MQTT_CONNECTING, NONE);
    fail_renewal();
    STEP("", MQTT_CONNECTING, NONE);
    CHECK(status()->last_failure == PROV_FAILURE_BACKEND_UNREACHABLE);
    mqtt_up(id);
    EXPECT_STATUS_NOW(MQTT_CONNECTED, NONE);
    in_use(id, device_clock_now() - 9000, device_clock_now() + 100, true, false);
    EXPECT_NOW("renew ");
    STEP("", MQTT_CONNECTED, NONE);
    fail_renewal();
    STEP("", MQTT_CONNECTED, NONE);
    pass(5006); /* a tenth of the 100 s that are left, or half of that */
    EXPECT_NONE("renew");
    pass(1);
    uint32_t renewal = job_now("renew ");
    STEP("", MQTT_CONNECTED, NONE);
    send_renewed(renewal);
    STEP("save_certificate, confirm_new_clock, mqtt_stop, mqtt_start", MQTT_CONNECTING, NONE);
    id = reach(PROV_STATE_MQTT_CONNECTING);
    in_use(id, device_clock_now() - 9000, device_clock_now() + 100, true, false);
    send_renewed(job_now("renew "));
    STEP("save_certificate, confirm_new_clock, mqtt_stop, mqtt_start", MQTT_CONNECTING, NONE);
}

static void test_certificate_expires(void)
{
    for (prov_state_t state = PROV_STATE_MQTT_CONNECTING; state <= PROV_STATE_MQTT_CONNECTED; state++) {
        in_use(reach(state), device_clock_now() - 1000, device_clock_now() - 1, true, false);
        STEP("mqtt_leave, check", CHECK_CERTIFICATES, NONE);
        CHECK(status()->cert_not_after == 0);
    }
}

void runner_edges_broker(void)
{
    test_clock();
    test_certificate_check();
    test_enrolment_goes_wrong();
    test_enrolment_is_rejected();
    test_first_connection();
    test_broker_goes();
    test_broker_is_stuck();
    test_renewal();
    test_certificate_expires();
}
