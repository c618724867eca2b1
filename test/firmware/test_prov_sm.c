/* What holds for every state with every event. test/golden/state-machine.txt has the table itself. */
#include "check.h"
#include "prov_sm.h"

#define S(name) PROV_STATE_##name
#define E(name) PROV_EVENT_##name
#define A(name) PROV_DO(name)

/** An event without an edge changes nothing; every state can be provisioned, reset, and lose its storage. */
static void check_cell(prov_state_t state, prov_event_id_t event)
{
    prov_step_t step = prov_sm_step(state, event);
    bool is_everywhere = event == E(PROVISION) || event == E(STORAGE_FAILED) || event == E(RESET);
    CHECK(prov_sm_handles(state, event) ? step.actions != 0 : step.state == state && step.actions == 0);
    CHECK(!is_everywhere || prov_sm_handles(state, event));
}

/** What has changed is shown. */
static void check_shown(prov_state_t state, prov_event_id_t event)
{
    prov_step_t step = prov_sm_step(state, event);
    bool has_news = step.state != state || (step.actions & (A(NOTE_ERROR) | A(SET_ERROR) | A(CLEAR_ERROR))) != 0;
    CHECK(!has_news || (step.actions & A(SHOW_STATUS)) != 0);
}

/** Something must be under way in the new state, or nothing would ever end it. */
static void check_liveness(prov_state_t state, prov_event_id_t event)
{
    static const uint64_t KEEPS_GOING[PROV_STATE_COUNT] = {
        [S(CHECK_PROVISIONING)] = A(LOAD_CREDENTIALS),
        [S(AP_MODE)] = A(AP_START),
        [S(WIFI_CONNECTING)] = A(CONNECT) | A(CONNECT_SOON) | A(CONNECT_BACKOFF),
        [S(WIFI_CONNECTED)] = A(SYNC_CLOCK) | A(RETRY_BACKOFF),
        [S(CHECK_CERTIFICATES)] = A(CHECK_CERTIFICATE),
        [S(SUBMIT_CSR)] = A(SUBMIT_CSR),
        [S(MQTT_CONNECTING)] = A(MQTT_START) | A(RETRY_BACKOFF),
        [S(MQTT_CONNECTED)] = A(PROVE_CERTIFICATE), /* the next status message is due since MQTT_ACCEPTED */
    };
    prov_step_t step = prov_sm_step(state, event);
    if (step.state != state && step.state != S(INIT)) {
        CHECK((step.actions & KEEPS_GOING[step.state]) != 0);
    }
    if (step.state == S(AP_MODE) && state != S(AP_MODE)) {
        CHECK((step.actions & A(AP_STOP)) == 0);
    }
}

/** A failure that ends in AP_MODE names itself, keeps the AP up, and stops what was running. */
static void check_failures(prov_state_t state, prov_event_id_t event)
{
    prov_step_t step = prov_sm_step(state, event);
    bool back = step.state == S(AP_MODE) && state != S(CHECK_PROVISIONING) && event != E(WINDOW_OVER);
    if (back && prov_sm_handles(state, event)) {
        CHECK((step.actions & A(SET_ERROR)) && (step.actions & A(ABANDON)) && (step.actions & A(WIFI_STOP)));
    }
}

/** The states reachable from `from` over any edge, as a set. */
static uint32_t reachable(prov_state_t from)
{
    uint32_t seen = 1u << from;
    for (int round = 0; round < PROV_STATE_COUNT; round++) {
        for (int state = 0; state < PROV_STATE_COUNT; state++) {
            for (int event = 0; event < PROV_EVENT_COUNT && (seen & (1u << state)); event++) {
                seen |= 1u << prov_sm_step((prov_state_t)state, (prov_event_id_t)event).state;
            }
        }
    }
    return seen;
}

static void check_credentials_are_kept(void)
{
    /* Only a verdict on new credentials may drop any; only a verdict of the backend ends the token. */
    for (int state = 0; state < PROV_STATE_COUNT; state++) {
        for (int event = 0; event < PROV_EVENT_COUNT; event++) {
            uint64_t actions = prov_sm_step((prov_state_t)state, (prov_event_id_t)event).actions;
            CHECK(!(actions & A(DROP_PENDING)) || event == E(WIFI_REJECTED));
            CHECK(!(actions & A(SPEND_TOKEN)) || event == E(ENROL_REJECTED));
            CHECK(!(actions & A(FACTORY_RESET)) || event == E(RESET));
            CHECK(!(actions & A(PROVE_CERTIFICATE)) || event == E(MQTT_UP));
            /* Asking for the next certificate never ends a connection that works with this one. */
            CHECK(!(actions & (A(RENEW) | A(RENEW_LATER))) || !(actions & A(MQTT_STOP)));
            CHECK(!(actions & A(AP_STOP)) || state == S(MQTT_CONNECTED) || event == E(WINDOW_OVER));
            /* Without a network, an AP that closes opens again. */
            CHECK(!(actions & A(AP_STOP)) || (actions & A(OFFLINE_BEGIN)) || state == S(AP_MODE) ||
                  !prov_sm_handles(state, E(OFFLINE_LONG)));
            /* Whoever ends a connection and makes no other at once says so; without a network it cannot. */
            CHECK(!(actions & A(MQTT_STOP)) || (actions & A(MQTT_START)) || event == E(WIFI_LOST));
            CHECK(!(actions & A(WIFI_STOP)) == !(actions & A(MQTT_FAREWELL)));
            /* What anybody on the way can bring about opens no AP by itself. */
            CHECK(!(actions & A(AP_START)) || state < S(WIFI_CONNECTED) || event == E(PROVISION) ||
                  event == E(STORAGE_FAILED) || event == E(ENROL_REJECTED));
        }
    }
}

static void check(prov_state_t state, prov_event_id_t event)
{
    int failures = s_failures;
    check_cell(state, event);
    check_shown(state, event);
    check_liveness(state, event);
    check_failures(state, event);
    if (s_failures != failures) {
        fprintf(stderr, "    in %s with %s\n", prov_state_name(state), prov_event_name(event));
    }
}

int main(void)
{
    for (int state = 0; state < PROV_STATE_COUNT; state++) {
        for (int event = 0; event < PROV_EVENT_COUNT; event++) {
            check((prov_state_t)state, (prov_event_id_t)event);
        }
        uint32_t seen = reachable((prov_state_t)state);
        CHECK((seen & (1u << S(AP_MODE))) && (seen & (1u << S(MQTT_CONNECTED))));
    }
    CHECK(reachable(S(INIT)) == (1u << PROV_STATE_COUNT) - 1u);
    check_credentials_are_kept();
    /* A CONNACK is no proof. */
    CHECK(prov_sm_step(S(MQTT_CONNECTING), E(MQTT_ACCEPTED)).actions == (A(SHOW_STATUS) | A(PUBLISH_STATUS)));
    /* Numbers that are no state or event (a torn message, say) are harmless. */
    CHECK(prov_sm_step(PROV_STATE_COUNT, E(BOOT)).actions == 0);
    CHECK(prov_sm_step(S(INIT), PROV_EVENT_COUNT).actions == 0);
    CHECK_TEXT(prov_state_name(S(MQTT_CONNECTED)), "MQTT_CONNECTED");
    CHECK_TEXT(prov_state_name(PROV_STATE_COUNT), "?");
    static const bool IS_WORKING[PROV_STATE_COUNT + 1] = {
        [S(WIFI_CONNECTING)] = true, [S(WIFI_CONNECTED)] = true,  [S(CHECK_CERTIFICATES)] = true,
        [S(SUBMIT_CSR)] = true,      [S(MQTT_CONNECTING)] = true,
    };
    for (int state = 0; state <= PROV_STATE_COUNT; state++) {
        CHECK(prov_state_is_working((prov_state_t)state) == IS_WORKING[state]);
    }
    CHECK_TEXT(prov_event_name(E(WIFI_REJECTED)), "WIFI_REJECTED");
    return check_result("prov_sm");
}
