/* The part of runner_story.c that is about the certificate of a device that is online. */
#include "device_clock.h"
#include "runner_scenarios.h"
#include "runner_steps.h"

/** The connection goes on until the next certificate is stored; it proves itself, or the old one returns. */
void runner_story_renewal(void)
{
    const int64_t now = device_clock_now();
    broker_failed(0, PROV_FAILURE_BROKER_LOST);
    uint32_t id = job("mqtt_start ");
    in_use(id, now - 1000, now + 3600, false, true);
    mqtt_up(id);
    EXPECT_STATUS(MQTT_CONNECTED, NONE);
    CHECK(status()->cert_not_after == now + 3600);
    in_use(id, now - 9000, now + 100, false, true); /* in its last third */
    uint32_t renewal = job("renew ");
    CHECK(prov_post(&(prov_msg_t){
        .event = PROV_EVENT_RENEW_FAILED, .job_id = renewal, .failure = PROV_FAILURE_BACKEND_UNREACHABLE}));
    EXPECT_STATUS(MQTT_CONNECTED, NONE); /* no error of the connection */
    in_use(id, now - 9000, now + 100, false, true);
    uint32_t next = job("renew ");
    send_renewed(renewal); /* of the try before: stored for nothing, were it not dropped */
    renewal = next;
    CHECK(status()->last_failure == PROV_FAILURE_BACKEND_UNREACHABLE && no_call("mqtt_stop"));
    send_renewed(renewal);
    EXPECT("save_certificate");
    EXPECT("mqtt_stop");
    id = job("mqtt_start ");
    in_use(id, now, now + 9000, true, true);
    broker_failed(id, PROV_FAILURE_BROKER_REJECTED);
    id = job("mqtt_start ");
    EXPECT_NONE("drop_new"); /* once may be a hiccup */
    in_use(id, now, now + 9000, true, true);
    broker_failed(id, PROV_FAILURE_BROKER_REJECTED);
    id = job("mqtt_start_old ");
    in_use(id, now - 1000, now + 3600, false, true);
    broker_failed(id, PROV_FAILURE_BROKER_UNREACHABLE); /* the broker's fault, then: both take turns */
    id = job("mqtt_start ");
    CHECK(no_call("drop_new") && no_call("ap_start"));
    in_use(id, now, now + 9000, true, true);
    broker_failed(id, PROV_FAILURE_BROKER_REJECTED);
    id = job("mqtt_start_old ");
    in_use(id, now - 1000, now + 3600, false, true);
    mqtt_up(id);
    EXPECT("drop_new");
    EXPECT_NONE("promote");
    EXPECT_STATUS(MQTT_CONNECTED, NONE);
    CHECK(status()->last_failure == PROV_FAILURE_BROKER_REJECTED);
}

/**
 * Refused for good, or expired: a named error, and everything needed to go on is kept. Its AP opens for a broker that
 * has proved who it is, not for what anybody on the way could say in its place.
 */
void runner_story_certificate_ends(void)
{
    const int64_t now = device_clock_now();
    broker_failed(0, PROV_FAILURE_BROKER_LOST);
    static const prov_failure_t BY_ANYBODY[] = {PROV_FAILURE_BROKER_REJECTED, PROV_FAILURE_BROKER_UNTRUSTED,
                                                PROV_FAILURE_BROKER_TLS_FAILED, PROV_FAILURE_BROKER_UNREACHABLE};
    for (int i = 0; i < 8; i++) {
        uint32_t failed = job("mqtt_start ");
        in_use(failed, now - 1000, now + 3600, false, false);
        broker_failed(failed, BY_ANYBODY[i / 2]);
    }
    EXPECT_STATUS(MQTT_CONNECTING, BROKER_UNREACHABLE);
    EXPECT_NONE("ap_start");
    broker_denied(job("mqtt_start "));
    EXPECT_STATUS(MQTT_CONNECTING, BROKER_REJECTED);
    EXPECT_NONE("ap_start"); /* once may be a hiccup */
    broker_denied(job("mqtt_start "));
    EXPECT("ap_start");
    EXPECT_STATUS(MQTT_CONNECTING, BROKER_REJECTED);
    uint32_t id = job("mqtt_start ");
    EXPECT_NONE("drop_new");
    in_use(id, now - 1000, now - 1, false, false);
    EXPECT("mqtt_leave");
    event(PROV_EVENT_CERT_NEEDED, job("check "));
    backend_failed(job("csr "), BACKEND_VERDICT_REJECTED, PROV_FAILURE_CERTIFICATE_EXPIRED);
    EXPECT_STATUS(AP_MODE, CERTIFICATE_EXPIRED);
    CHECK(fakes_store()->has_wifi && status()->cert_not_after == 0);
}
