/* The edges up to a network, and those of every state: what the machine does at each, and when. */
#include "button.h"
#include "runner_scenarios.h"
#include "runner_steps.h"

/** A device that has been online, with a network that it knows. */
static void keep_past(void)
{
    *fakes_store() = (fake_store_t){
        .has_wifi = true, .wifi = {.ssid = "old", .password = "secret-pass"}, .has_certificate = true, .has_worked = true};
}

/** Two steps at once: the credentials are looked up, which others see, and what follows from them. */
static void looked_up(const char *calls, prov_state_t state, prov_failure_t failure)
{
    settle();
    CHECK(fakes_peek(0) != NULL && fakes_peek(0)->status.state == PROV_STATE_CHECK_PROVISIONING);
    DID(calls);
    CHECK(wait_status(state, failure, 0));
}

static void test_first_boot(void)
{
    *fakes_store() = (fake_store_t){0};
    power_on(ESP_OK);
    looked_up(AP_OPENS, PROV_STATE_AP_MODE, PROV_FAILURE_NONE);
    pass(WINDOW_MS);
    AFTER(AP_GRACE_MS, AP_CLOSES); /* nobody has come */
    STEP("", AP_MODE, NONE);
}

/** Its network was taken from it, its certificate was not. */
static void test_boot_without_a_network(void)
{
    keep_past();
    fakes_store()->has_wifi = false;
    power_on(ESP_OK);
    looked_up(AP_OPENS, PROV_STATE_AP_MODE, PROV_FAILURE_NONE);
}

static void test_boot_with_a_request(void)
{
    keep_past();
    save_pending("home", "p1");
    power_on(ESP_OK);
    looked_up(AP_OPENS ", connect home", PROV_STATE_WIFI_CONNECTING, PROV_FAILURE_NONE);
    CHECK_TEXT(status()->attempt_id, "p1");
    /* The AP's window ends, it opens again after a while, and a verdict opens it too. */
    pass(WINDOW_MS);
    STEP("", WIFI_CONNECTING, NONE);
    AFTER(AP_GRACE_MS, AP_CLOSES);
    AFTER(FALLBACK_MS - AP_GRACE_MS, AP_OPENS);
    STEP("", WIFI_CONNECTING, NONE);
    pass(WINDOW_MS + AP_GRACE_MS);
    DID(AP_CLOSES);
    link_down(15);
    STEP("", WIFI_CONNECTING, NONE);
    AFTER(BACKOFF_MS, "connect home");
    link_down(15);
    STEP("mqtt_leave, disconnect, drop_pending, " AP_OPENS, AP_MODE, WIFI_WRONG_PASSWORD);
}

static void test_boot_with_a_network(void)
{
    keep_past();
    power_on(ESP_OK);
    looked_up("connect old", PROV_STATE_WIFI_CONNECTING, PROV_FAILURE_NONE);
    AFTER(FALLBACK_MS, AP_OPENS);
    link_down(2);
    STEP("", WIFI_CONNECTING, NONE);
    AFTER(BACKOFF_MS, "connect old");
    link_down(15);
    STEP("", WIFI_CONNECTING, WIFI_WRONG_PASSWORD);
    AFTER(BACKOFF_MS, "connect old");
    link_up();
    STEP("clock", WIFI_CONNECTED, NONE);
}

static void test_new_network(void)
{
    keep_past();
    reach(PROV_STATE_AP_MODE);
    keep_past();
    CHECK(provision("home", "n1") == PROV_CLAIM_OK);
    STEP("mqtt_leave, disconnect", WIFI_CONNECTING, NONE);
    AFTER(CONFIG_PROV_CONNECT_DELAY_MS, "connect home");
    STEP("", WIFI_CONNECTING, NONE);
    CHECK(status()->ssid_digest[0] != '\0' && status()->attempts_remaining == 5);
    link_down(2);
    STEP("", WIFI_CONNECTING, NONE);
    CHECK(status()->attempts_remaining == 4);
    AFTER(BACKOFF_MS, "connect home");
    link_up();
    STEP("commit_pending, clock", WIFI_CONNECTED, NONE);
}

/** The network that worked is tried again when nobody corrects the new one, as if nothing had failed. */
static void test_back_to_the_old_network(void)
{
    reach(PROV_STATE_AP_MODE);
    keep_past();
    CHECK(provision("home", "b1") == PROV_CLAIM_OK);
    EXPECT("connect home");
    link_down(15);
    EXPECT("connect home");
    link_down(15);
    EXPECT_STATUS_NOW(AP_MODE, WIFI_WRONG_PASSWORD);
    forget();
    pass(FALLBACK_MS - 1);
    DID("");
    pass(1);
    looked_up("connect old", PROV_STATE_WIFI_CONNECTING, PROV_FAILURE_WIFI_WRONG_PASSWORD);
    link_down(201);
    STEP("", WIFI_CONNECTING, WIFI_WRONG_PASSWORD); /* its first failure is no news */
    AFTER(BACKOFF_MS, "connect old");
    link_down(201);
    STEP("", WIFI_CONNECTING, WIFI_AP_NOT_FOUND);
}

static void test_network_lost(void)
{
    reach(PROV_STATE_MQTT_CONNECTED);
    pass(900); /* the AP is closed */
    forget();
    CHECK(status()->cert_not_after != 0);
    link_down(200);
    STEP("mqtt_stop", WIFI_CONNECTING, NONE);
    CHECK(status()->last_failure == PROV_FAILURE_WIFI_TIMEOUT && status()->cert_not_after == 0);
    AFTER(BACKOFF_MS, "connect home");
    AFTER(FALLBACK_MS - BACKOFF_MS, AP_OPENS);
}

static void test_provisioned_anew(void)
{
    reach(PROV_STATE_MQTT_CONNECTED);
    pass(900);
    forget();
    CHECK(provision("other", "c1") == PROV_CLAIM_OK);
    STEP("mqtt_leave, wait_left, disconnect, " AP_OPENS, WIFI_CONNECTING, NONE);
    CHECK(status()->cert_not_after == 0);
    AFTER(CONFIG_PROV_CONNECT_DELAY_MS, "connect other");
    link_down(15);
    AFTER(BACKOFF_MS, "connect other");
    link_down(15);
    EXPECT_STATUS_NOW(AP_MODE, WIFI_WRONG_PASSWORD);
    CHECK(provision("other", "c2") == PROV_CLAIM_OK);
    settle();
    EXPECT_STATUS_NOW(WIFI_CONNECTING, NONE);
}

static void test_storage_fails_at_boot(void)
{
    *fakes_store() = (fake_store_t){0};
    power_on(ESP_FAIL);
    STEP("mqtt_leave, disconnect, " AP_OPENS, AP_MODE, STORAGE_FAILED);
    fakes_store()->unreadable = true;
    power_on(ESP_OK);
    looked_up("mqtt_leave, disconnect, " AP_OPENS, PROV_STATE_AP_MODE, PROV_FAILURE_STORAGE_FAILED);
}

static void storage_fails(void)
{
    CHECK(prov_post(&(prov_msg_t){.event = PROV_EVENT_STORAGE_FAILED, .failure = PROV_FAILURE_STORAGE_FAILED}));
}

/** The broker hears of it, and the device goes on as soon as it can. */
static void test_storage_fails_online(void)
{
    reach(PROV_STATE_MQTT_CONNECTED);
    pass(900);
    forget();
    storage_fails();
    STEP("mqtt_leave, wait_left, disconnect, " AP_OPENS, AP_MODE, STORAGE_FAILED);
    CHECK(status()->cert_not_after == 0 && !status()->wifi_connected);
    AFTER(FALLBACK_MS, "connect home");
}

static void test_reset(void)
{
    reach(PROV_STATE_MQTT_CONNECTED);
    fakes_press_button();
    pass(BUTTON_POLL_MS);
    const fake_call_t *erasure = NULL;
    for (int i = 0; fakes_peek(i) != NULL; i++) {
        erasure = strcmp(fakes_peek(i)->text, "erase all") == 0 ? fakes_peek(i) : erasure;
    }
    CHECK(erasure != NULL && erasure->status.state == PROV_STATE_INIT && !erasure->status.wifi_connected);
    DID("mqtt_leave, wait_left, disconnect, " AP_CLOSES ", erase all, restart");
}

/** In whatever state it is. */
static void test_in_every_state(void)
{
    for (prov_state_t state = PROV_STATE_AP_MODE; state < PROV_STATE_COUNT; state++) {
        reach(state);
        save_pending("other", "e1");
        CHECK(prov_post_event(PROV_EVENT_PROVISION));
        EXPECT_STATUS_NOW(WIFI_CONNECTING, NONE);
        EXPECT("connect other");
        reach(state);
        storage_fails();
        EXPECT_STATUS_NOW(AP_MODE, STORAGE_FAILED);
        reach(state);
        CHECK(prov_post_event(PROV_EVENT_RESET));
        EXPECT_NOW("erase all");
        reach(state);
        if (state >= PROV_STATE_WIFI_CONNECTED) {
            link_down(200);
            EXPECT_STATUS_NOW(WIFI_CONNECTING, NONE);
        }
        reach(state);
        EXPECT("ap_stop"); /* the AP's window is over, or has lingered */
    }
}

void runner_edges_join(void)
{
    test_first_boot();
    test_boot_without_a_network();
    test_boot_with_a_request();
    test_boot_with_a_network();
    test_new_network();
    test_back_to_the_old_network();
    test_network_lost();
    test_provisioned_anew();
    test_storage_fails_at_boot();
    test_storage_fails_online();
    test_reset();
    test_in_every_state();
}
