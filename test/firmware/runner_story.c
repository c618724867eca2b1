/*
 * The runner and its actions as they are, between faked modules: what it tells
 * them to do, in which order, and what it lets others see. One long life of a device.
 */
#include "runner_scenarios.h"
#include "runner_steps.h"

static void test_wrong_password(void)
{
    EXPECT("ap_start");
    EXPECT("http_start"); /* bound to the AP's interface, which must be there */
    EXPECT_STATUS(AP_MODE, NONE);
    CHECK(provision("home", "a1") == PROV_CLAIM_OK);
    CHECK(status()->state == PROV_STATE_WIFI_CONNECTING); /* before the runner has heard of it */
    CHECK(provision("home", "a1") == PROV_CLAIM_REPEAT);
    EXPECT("disconnect");
    EXPECT("connect home");
    CHECK(provision("home", "a1") == PROV_CLAIM_REPEAT);
    CHECK(provision("home", "a2") == PROV_CLAIM_BUSY);
    link_down(15);
    EXPECT("connect home");
    CHECK(status()->failure == PROV_FAILURE_NONE && status()->attempts_remaining == 4);
    link_down(15);
    EXPECT("drop_pending");
    EXPECT_STATUS(AP_MODE, WIFI_WRONG_PASSWORD);
    CHECK(status()->attempts_remaining == 5);
    CHECK_TEXT(status()->attempt_id, "a1");
    CHECK_TEXT(status()->detail, "reason 15");
    CHECK(!fakes_store()->has_pending);
    link_up(); /* of an attempt that is over: means nothing */
}

static void test_transient_then_dhcp(void)
{
    CHECK(provision("home", "a3") == PROV_CLAIM_OK);
    for (int i = 0; i < 4; i++) {
        EXPECT("connect home");
        link_down(2);
    }
    EXPECT("connect home");
    CHECK(prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_ASSOCIATED}));
    EXPECT_STATUS(AP_MODE, DHCP_TIMEOUT);
    CHECK(!status()->wifi_connected);
}

/** Credentials that are stored while earlier ones are tried get neither their success nor their failure. */
static void test_replaced_meanwhile(void)
{
    CHECK(provision("home", "r1") == PROV_CLAIM_OK);
    EXPECT("connect home");
    save_pending("later", "r2");
    link_up();
    EXPECT("commit_pending");
    EXPECT_STATUS(WIFI_CONNECTED, NONE);
    CHECK(fakes_store()->has_pending && !fakes_store()->has_wifi);
    event(PROV_EVENT_PROVISION, 0);
    EXPECT("connect later");
    save_pending("last", "r3");
    link_down(15);
    EXPECT("connect later");
    link_down(15);
    EXPECT("drop_pending");
    EXPECT_STATUS(AP_MODE, WIFI_WRONG_PASSWORD);
    CHECK(fakes_store()->has_pending);
    event(PROV_EVENT_PROVISION, 0);
    EXPECT("connect last");
    link_down(15);
    EXPECT("connect last");
    link_down(15);
    EXPECT("drop_pending");
    EXPECT_STATUS(AP_MODE, WIFI_WRONG_PASSWORD);
    CHECK(!fakes_store()->has_pending);
}

static void test_enrolment(void)
{
    CHECK(provision("home", "a4") == PROV_CLAIM_OK);
    EXPECT("connect home");
    link_up();
    EXPECT("commit_pending");
    uint32_t id = job("clock ");
    event(PROV_EVENT_CLOCK_FAILED, id);
    EXPECT_STATUS(WIFI_CONNECTED, CLOCK_NOT_SET);
    uint32_t again = job("clock ");
    event(PROV_EVENT_CLOCK_READY, id); /* the result of the job before: too late */
    event(PROV_EVENT_CLOCK_READY, again);
    id = job("check ");
    EXPECT_STATUS(CHECK_CERTIFICATES, NONE);
    CHECK(status()->ip == 0x0101a8c0 && status()->wifi_connected);
    event(PROV_EVENT_CERT_NEEDED, id);
    for (int i = 0; i < 2; i++) {
        backend_failed(job("csr "), BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR);
        EXPECT_STATUS(SUBMIT_CSR, NONE);
    }
    backend_failed(job("csr "), BACKEND_VERDICT_RETRY, PROV_FAILURE_BACKEND_ERROR);
    EXPECT_STATUS(SUBMIT_CSR, BACKEND_ERROR);
    send_certificate(job("csr ")); /* it goes on trying */
    EXPECT("save_certificate");
    EXPECT_STATUS(MQTT_CONNECTING, NONE);
    CHECK(status()->certificate);
}

static void test_broker(void)
{
    broker_failed(job("mqtt_start "), PROV_FAILURE_BROKER_UNREACHABLE);
    EXPECT("mqtt_leave");
    uint32_t id = job("mqtt_start ");
    CHECK(status()->failure == PROV_FAILURE_NONE); /* once is no news */
    broker_failed(id, PROV_FAILURE_BROKER_UNREACHABLE);
    EXPECT_STATUS(MQTT_CONNECTING, BROKER_UNREACHABLE);
    id = job("mqtt_start ");
    event(PROV_EVENT_MQTT_ACCEPTED, id);
    EXPECT("status ");
    EXPECT_STATUS(MQTT_CONNECTING, BROKER_UNREACHABLE); /* a CONNACK is no proof */
    CHECK(no_call("promote") && !status()->was_connected);
    publishing(id);
    acknowledged(id);
    EXPECT("promote");
    EXPECT("report ");
    EXPECT_STATUS(MQTT_CONNECTED, NONE);
    EXPECT("http_stop"); /* the AP has lingered */
    EXPECT("ap_stop");
    EXPECT("status "); /* and again after the interval */
    broker_failed(id, PROV_FAILURE_BROKER_LOST);
    EXPECT("mqtt_leave");
    id = job("mqtt_start ");
    EXPECT_STATUS(MQTT_CONNECTING, NONE);
    CHECK(status()->was_connected && status()->mqtt_connects == 1);
    CHECK(status()->last_failure == PROV_FAILURE_BROKER_LOST);
    mqtt_up(id);
    EXPECT_STATUS(MQTT_CONNECTED, NONE);
    EXPECT_NONE("report "); /* once per enrolment */
    EXPECT_NONE("wait_left"); /* the network stays: nobody waits for the farewell */
}

/** Accepted and not acknowledged, whether it hangs up or says nothing: no connection, and each time a failure. */
static void test_no_acknowledgement(void)
{
    broker_failed(0, PROV_FAILURE_BROKER_LOST);
    uint32_t id = job("mqtt_start ");
    event(PROV_EVENT_MQTT_ACCEPTED, id);
    EXPECT("status ");
    broker_failed(id, PROV_FAILURE_PUBLISH_REFUSED);
    EXPECT("mqtt_leave");
    id = job("mqtt_start ");
    event(PROV_EVENT_MQTT_ACCEPTED, id);
    EXPECT("status ");
    publishing(id);
    EXPECT("mqtt_leave"); /* it has waited long enough */
    EXPECT_STATUS(MQTT_CONNECTING, PUBLISH_UNACKNOWLEDGED);
    CHECK(status()->mqtt_connects == 2 && no_call("promote") && no_call("ap_start"));
    id = job("mqtt_start ");
    mqtt_up(id);
    EXPECT_STATUS(MQTT_CONNECTED, NONE);
    publishing(id); /* and a connection that takes no more messages is none */
    EXPECT("mqtt_leave");
    EXPECT_STATUS(MQTT_CONNECTING, NONE);
    CHECK(status()->last_failure == PROV_FAILURE_PUBLISH_UNACKNOWLEDGED);
    acknowledged(id); /* too late: of a connection that was given up */
    id = job("mqtt_start ");
    CHECK(status()->state == PROV_STATE_MQTT_CONNECTING);
    mqtt_up(id);
    EXPECT_STATUS(MQTT_CONNECTED, NONE);
}

/** A network that has worked is tried for ever, whatever it answers, and its password is kept. */
static void test_wifi_lost(void)
{
    link_down(200);
    EXPECT("mqtt_stop");
    for (int i = 0; i < 12; i++) {
        EXPECT("connect home");
        link_down(i % 2 == 0 ? 15 : 202);
    }
    EXPECT("connect home");
    EXPECT_STATUS(WIFI_CONNECTING, WIFI_WRONG_PASSWORD);
    CHECK(fakes_store()->has_wifi && no_call("ap_start"));
    EXPECT("ap_start"); /* offline for long: somebody may come with new credentials */
    EXPECT("http_start");
    EXPECT_STATUS(WIFI_CONNECTING, WIFI_WRONG_PASSWORD);
    CHECK(fakes_store()->has_wifi);
    link_up();
    event(PROV_EVENT_CLOCK_READY, job("clock "));
    EXPECT_STATUS(CHECK_CERTIFICATES, NONE);
    event(PROV_EVENT_CERT_READY, job("check "));
    mqtt_up(job("mqtt_start "));
    EXPECT_STATUS(MQTT_CONNECTED, NONE);
    EXPECT("ap_stop");
}

static void test_rejected_token(void)
{
    CHECK(provision("home", "a5") == PROV_CLAIM_OK);
    EXPECT("connect home");
    link_up();
    event(PROV_EVENT_CLOCK_READY, job("clock "));
    event(PROV_EVENT_CERT_NEEDED, job("check "));
    uint32_t id = job("csr ");
    backend_failed(id, BACKEND_VERDICT_REJECTED, PROV_FAILURE_TOKEN_REJECTED);
    EXPECT("spend_token");
    EXPECT_STATUS(AP_MODE, TOKEN_REJECTED);
    CHECK(!status()->was_connected && fakes_store()->has_wifi);
    send_certificate(id); /* abandoned: freed, not stored (the leak checker watches) */
}

/** No password, and open networks are not allowed: a verdict, without the radio. */
static void test_open(void)
{
    CHECK(provision("cafe", "a8") == PROV_CLAIM_OK);
    EXPECT("drop_pending");
    EXPECT_STATUS(AP_MODE, WIFI_WEAK_SECURITY);
    CHECK_TEXT(status()->detail, "open networks are not allowed");
    EXPECT_NONE("connect ");
    EXPECT("ap_stop"); /* the window is over */
    CHECK(provision("home", "a9") == PROV_CLAIM_OK); /* a POST that had come in before that */
    EXPECT("ap_start");
    EXPECT("connect home");
    link_down(15);
    EXPECT("connect home");
    link_down(15);
    EXPECT_STATUS(AP_MODE, WIFI_WRONG_PASSWORD);
}

static void test_storage_fails(void)
{
    CHECK(provision("home", "a6") == PROV_CLAIM_OK);
    EXPECT("connect home");
    fakes_store()->broken = true;
    link_up();
    EXPECT_STATUS(AP_MODE, STORAGE_FAILED);
    fakes_store()->broken = false;
    CHECK(provision("other", "a7") == PROV_CLAIM_OK);
    EXPECT("connect other");
}

static void test_reset(void)
{
    fakes_press_button();
    EXPECT("http_stop");
    EXPECT("erase all");
    EXPECT("restart");
}

void runner_story(void)
{
    power_on(ESP_OK);
    test_wrong_password();
    test_transient_then_dhcp();
    test_replaced_meanwhile();
    test_enrolment();
    test_broker();
    test_no_acknowledgement();
    test_wifi_lost();
    runner_story_renewal();
    runner_story_certificate_ends();
    test_rejected_token();
    test_open();
    test_storage_fails();
    test_reset();
}
