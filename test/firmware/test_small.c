/* The small pure parts: backoff, timers, the list of networks, TLS failures, the broker's verdicts, failure names. */
#include <errno.h>

#include "backoff.h"
#include "broker_judge.h"
#include "check.h"
#include "net_failure.h"
#include "outlook.h"
#include "pairing.h"
#include "prov_failure.h"
#include "prov_timers.h"
#include "renewal.h"
#include "ssid_digest.h"
#include "wifi_networks.h"

static void test_backoff(void)
{
    for (uint32_t random = 0; random < 70000; random += 7) {
        for (uint32_t failures = 0; failures < 12; failures++) {
            uint32_t delay = backoff_delay_ms(failures, 1000, 60000, random);
            uint32_t bound = 1000u << failures;
            CHECK(delay >= 1000 && delay <= (bound > 60000 ? 60000 : bound));
        }
    }
    CHECK(backoff_delay_ms(UINT32_MAX, 500, 30000, UINT32_MAX) <= 30000);
    CHECK(backoff_delay_ms(3, 0, 0, 5) == 0);
    CHECK(backoff_delay_ms(9, 1000, 500, 3) <= 500);
    CHECK(backoff_delay_ms(1, 1000, 60000, 0) != backoff_delay_ms(1, 1000, 60000, 250));
    /* The whole of it is used: the middle of the tenth is far behind that of the first. */
    CHECK(backoff_delay_ms(1, 1000, 60000, 500) == 1500 && backoff_delay_ms(10, 1000, 60000, 59000) == 60000);
}

/** What failed before is forgotten for a connection that lasted, and for no other. */
static void test_backoff_memory(void)
{
    backoff_t backoff = {0};
    for (int i = 1; i <= 10; i++) { /* up each time, and down soon */
        backoff_up(&backoff, i * 1000);
        backoff_down(&backoff, i * 1000 + 999, 1000);
        CHECK(backoff.failures == (uint32_t)i);
    }
    backoff_down(&backoff, 999999, 1000); /* an attempt that fails long after is no connection that lasted */
    CHECK(backoff.failures == 11);
    backoff_up(&backoff, 5000);
    backoff_end(&backoff, 5999, 1000);
    CHECK(backoff.failures == 11);
    backoff_up(&backoff, 5000);
    backoff_down(&backoff, 6000, 1000);
    CHECK(backoff.failures == 1);
    backoff_up(&backoff, 7000);
    backoff_end(&backoff, 9000, 1000);
    CHECK(backoff.failures == 0);
    backoff.failures = UINT32_MAX;
    backoff_down(&backoff, 10000, 1000);
    CHECK(backoff.failures == UINT32_MAX);
}

static void test_timers(void)
{
    prov_timers_t timers = {0};
    prov_timer_t timer;
    CHECK(prov_timers_wait_ms(&timers, 5, 1000) == 1000);
    CHECK(!prov_timers_take(&timers, 5, &timer));
    prov_timer_start(&timers, PROV_TIMER_RETRY, 5, 100);
    prov_timer_start(&timers, PROV_TIMER_LINK, 5, 50);
    CHECK(prov_timers_wait_ms(&timers, 5, 1000) == 50);
    CHECK(prov_timers_wait_ms(&timers, 200, 1000) == 0);
    CHECK(!prov_timers_take(&timers, 54, &timer));
    CHECK(prov_timers_take(&timers, 105, &timer) && timer == PROV_TIMER_LINK);
    CHECK(prov_timers_take(&timers, 105, &timer) && timer == PROV_TIMER_RETRY);
    CHECK(!prov_timers_take(&timers, 1000, &timer));
    prov_timer_start(&timers, PROV_TIMER_RETRY, 0, 0); /* due at once, even at time zero */
    CHECK(prov_timers_take(&timers, 1, &timer));
    prov_timer_start(&timers, PROV_TIMER_RETRY, 5, 10);
    prov_timer_stop(&timers, PROV_TIMER_RETRY);
    CHECK(prov_timers_wait_ms(&timers, 500, 1000) == 1000);
}

static int64_t renewal_due_at(int64_t not_before, int64_t not_after, uint32_t random)
{
    renewal_t renewal = {0};
    renewal_plan(&renewal, not_before, not_after, not_before, random);
    return renewal.due_at;
}

static void test_renewal(void)
{
    const int64_t day = 24 * 60 * 60;
    const int64_t start = 1750000000;
    for (uint32_t random = 0; random < 2000000000; random += 99999989) {
        int64_t due = renewal_due_at(start, start + 365 * day, random);
        CHECK(due >= start + 243 * day && due <= start + 305 * day);
        due = renewal_due_at(start, start + 120, random);
        CHECK(due >= start + 80 && due <= start + 100);
        CHECK(renewal_due_at(start, start, random) == start);
        CHECK(renewal_due_at(start, start - 5, random) == start - 5);
        uint32_t delay = renewal_retry_ms(start, start + 1000, random);
        CHECK(delay >= 50000 && delay <= 100000);
        delay = renewal_retry_ms(start, start + 365 * day, random);
        CHECK(delay >= 3 * 3600 * 1000 && delay <= 6 * 3600 * 1000);
        CHECK(renewal_retry_ms(start, start + 5, random) == 1000);
        CHECK(renewal_retry_ms(start, start - day, random) == 1000);
    }
    CHECK(renewal_due_at(start, start + 365 * day, 0) != renewal_due_at(start, start + 365 * day, 1u << 20));
}

static void test_pairing(void)
{
    pairing_t pairing = {0};
    char longest[PAIRING_SECRET_MAX + 1] = "";
    memset(longest, 'x', PAIRING_SECRET_MAX);
    CHECK(pairing_check(&pairing, "", NULL) == PAIRING_OK && pairing_check(&pairing, "", "any") == PAIRING_OK);
    for (int i = 0; i < 20; i++) {
        CHECK(pairing_check(&pairing, "12345678", i % 2 ? NULL : "") == PAIRING_REQUIRED); /* no try */
    }
    CHECK(pairing_check(&pairing, longest, longest) == PAIRING_OK);
    CHECK(pairing_check(&pairing, longest, "x") == PAIRING_REQUIRED);
    CHECK(pairing_check(&pairing, longest, longest) == PAIRING_OK); /* and the tries are whole again */
    static const char *const WRONG[] = {"1234567", "123456789", "02345678", "1234567x"};
    for (int i = 0; i < PAIRING_TRIES - 1; i++) {
        CHECK(pairing_check(&pairing, "12345678", WRONG[i]) == PAIRING_REQUIRED);
    }
    CHECK(pairing_check(&pairing, "12345678", WRONG[0]) == PAIRING_LOCKED);
    CHECK(pairing_check(&pairing, "12345678", "12345678") == PAIRING_LOCKED);
}

static void test_rate_limit(void)
{
    rate_limit_t limit = {0};
    for (int i = 0; i < RATE_BURST; i++) {
        CHECK(rate_limit_take(&limit, 1000) == 0);
    }
    CHECK(rate_limit_take(&limit, 1000) == RATE_INTERVAL_MS);
    CHECK(rate_limit_take(&limit, 2000) == RATE_INTERVAL_MS - 1000);
    CHECK(rate_limit_take(&limit, 1000 + RATE_INTERVAL_MS) == 0);
    CHECK(rate_limit_take(&limit, 1000 + RATE_INTERVAL_MS) == RATE_INTERVAL_MS);
    for (int i = 0; i < RATE_BURST; i++) {
        CHECK(rate_limit_take(&limit, 10000000) == 0); /* after a long rest the burst is whole again, no more */
    }
    CHECK(rate_limit_take(&limit, 10000000) > 0);
}

static void add_secured(wifi_network_t *list, size_t *count, const char *ssid, int rssi, bool secure)
{
    wifi_network_t network = {.rssi = (int8_t)rssi, .secure = secure};
    snprintf(network.ssid, sizeof network.ssid, "%s", ssid);
    wifi_networks_add(list, count, &network);
}

static void add(wifi_network_t *list, size_t *count, const char *ssid, int rssi)
{
    add_secured(list, count, ssid, rssi, false);
}

/** An open twin of a network, near or far, makes nobody take the network for open. */
static void test_open_twins(void)
{
    wifi_network_t list[WIFI_SCAN_MAX];
    size_t count = 0;
    add_secured(list, &count, "a", -60, true);
    add_secured(list, &count, "a", -40, false);
    CHECK(count == 1 && list[0].rssi == -40 && list[0].secure);
    add_secured(list, &count, "b", -30, false);
    CHECK(count == 2 && !list[0].secure);
    add_secured(list, &count, "b", -70, true);
    CHECK(count == 2 && list[0].rssi == -30 && list[0].secure);
}

static void test_networks(void)
{
    wifi_network_t list[WIFI_SCAN_MAX];
    size_t count = 0;
    add(list, &count, "b", -60);
    add(list, &count, "a", -40);
    add(list, &count, "c", -80);
    add(list, &count, "b", -70);
    CHECK(count == 3 && list[1].rssi == -60);
    add(list, &count, "c", -30);
    CHECK(count == 3);
    CHECK_TEXT(list[0].ssid, "c");
    CHECK_TEXT(list[1].ssid, "a");
    CHECK_TEXT(list[2].ssid, "b");
    add(list, &count, "", -10);
    add(list, &count, "\xff\xfe", -10);
    CHECK(count == 3);
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        add(list, &count, name, -90 + i);
    }
    CHECK(count == WIFI_SCAN_MAX);
    for (size_t i = 1; i < count; i++) {
        CHECK(list[i - 1].rssi >= list[i].rssi);
    }
    CHECK_TEXT(list[0].ssid, "c");
    add(list, &count, "weak", -99);
    CHECK(count == WIFI_SCAN_MAX && list[count - 1].rssi > -99);
}

static void test_utf8(void)
{
    static const char *const GOOD[] = {"", "abc", "\xc3\xa9", "\xe2\x80\x99", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"};
    static const char *const BAD[] = {"\x80",         "\xc3",         "\xc0\xaf",     "\xe0\x80\x80", "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x80", "a\xff"};
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        CHECK(utf8_is_valid(GOOD[i]));
    }
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        CHECK(!utf8_is_valid(BAD[i]));
    }
}

static net_error_t net_error(int last_error, int stack_error, int flags)
{
    return (net_error_t){.last_error = last_error,
                         .stack_error = stack_error,
                         .verify_flags = flags,
                         .handshake = {.alert = TLS_NO_ALERT}};
}

static net_failure_t classify(int last_error, int stack_error, int flags)
{
    net_error_t error = net_error(last_error, stack_error, flags);
    return net_failure_classify(&error);
}

static net_error_t alert(int number, bool certificate_shown)
{
    net_error_t error = net_error(0x801a, 0x7780, 0);
    error.handshake = (tls_handshake_t){.alert = number, .certificate_shown = certificate_shown};
    return error;
}

static const char *detail(net_error_t error)
{
    static char text[48];
    net_failure_detail(&error, text, sizeof text);
    return text;
}

static void test_net_failures(void)
{
    CHECK(classify(0x8001, 0, 0) == NET_FAILURE_DNS);
    CHECK(classify(0x8004, 0, 0) == NET_FAILURE_UNREACHABLE);
    CHECK(classify(0x8006, 0, 0) == NET_FAILURE_UNREACHABLE);
    CHECK(classify(0x8009, 0, 0) == NET_FAILURE_UNREACHABLE);
    CHECK(classify(0, 0, 0) == NET_FAILURE_GARBAGE);
    CHECK(classify(0x801a, 0x2700, 8) == NET_FAILURE_UNTRUSTED);
    CHECK(classify(0x801a, 0x2700, 0) == NET_FAILURE_UNTRUSTED);
    CHECK(classify(0x801a, -0x2700, 0) == NET_FAILURE_UNTRUSTED);
    CHECK(classify(0x801a, 0x3000, 0) == NET_FAILURE_UNTRUSTED);
    CHECK(classify(0x801a, 0x7200, 0) == NET_FAILURE_TLS);
    CHECK(classify(0x8008, 0, 0) == NET_FAILURE_CLOSED);
    CHECK(classify(0, 0x50, 0) == NET_FAILURE_CLOSED);
    CHECK(net_failure_classify(&(net_error_t){.sock_errno = ECONNRESET}) == NET_FAILURE_CLOSED);
    CHECK_TEXT(detail((net_error_t){.sock_errno = ECONNABORTED}), "it closed the connection");
    net_error_t refused = net_error(0x8004, 0, 0);
    refused.sock_errno = ECONNRESET;
    CHECK(net_failure_classify(&refused) == NET_FAILURE_UNREACHABLE);
    CHECK_TEXT(detail(net_error(0, 0, 8 | 1)), "unknown CA");
    CHECK_TEXT(detail(net_error(0, 0, 1)), "it has expired");
    CHECK_TEXT(detail(net_error(0, 0, 0x200)), "it is not valid yet");
    CHECK_TEXT(detail(net_error(0, 0, 0x1000)), "it is not a server's");
    CHECK_TEXT(detail(net_error(0, 0, 0x4000)), "its signature's hash is weak");
    CHECK_TEXT(detail(net_error(0, 0, 0x10000)), "its key is weak");
    CHECK_TEXT(detail(net_error(0, 0, 0x10000 | 0x04)), "it is for another host name");
    CHECK_TEXT(detail(net_error(0x801a, 0x2700, 0)), "");
    CHECK_TEXT(detail(net_error(0, 0, 4)), "it is for another host name");
    CHECK_TEXT(detail(net_error(0x8004, 0, 0)), "");
    CHECK_TEXT(detail(net_error(0x8008, 0, 0)), "it closed the connection");
    CHECK_TEXT(detail(net_error(0x801a, 0x7200, 0)), "TLS error -0x7200");
}

/** What an alert is about, and whom a hang-up concerns: our certificate, once it was shown, or the handshake. */
static void test_alerts(void)
{
    static const struct {
        int number;
        bool shown;
        net_failure_t failure;
        const char *detail;
    } ALERTS[] = {
        {42, true, NET_FAILURE_REFUSED, "TLS alert bad_certificate"},
        {43, true, NET_FAILURE_REFUSED, "TLS alert unsupported_certificate"},
        {44, true, NET_FAILURE_REFUSED, "TLS alert certificate_revoked"},
        {45, true, NET_FAILURE_REFUSED, "TLS alert certificate_expired"},
        {46, true, NET_FAILURE_REFUSED, "TLS alert certificate_unknown"},
        {48, true, NET_FAILURE_REFUSED, "TLS alert unknown_ca"},
        {49, true, NET_FAILURE_REFUSED, "TLS alert access_denied"},
        {116, true, NET_FAILURE_REFUSED, "TLS alert certificate_required"},
        {40, true, NET_FAILURE_REFUSED, "TLS alert handshake_failure"},
        {40, false, NET_FAILURE_TLS, "TLS alert handshake_failure"},
        {51, false, NET_FAILURE_TLS, "TLS alert decrypt_error"},
        {70, false, NET_FAILURE_TLS, "TLS alert protocol_version"},
        {71, false, NET_FAILURE_TLS, "TLS alert insufficient_security"},
        {80, true, NET_FAILURE_TLS, "TLS alert internal_error"},
        {112, false, NET_FAILURE_TLS, "TLS alert unrecognized_name"},
        {120, false, NET_FAILURE_TLS, "TLS alert no_application_protocol"},
        {255, true, NET_FAILURE_TLS, "TLS alert 255"},
        {TLS_NO_ALERT, true, NET_FAILURE_REFUSED, "a TLS alert"},
        {TLS_NO_ALERT, false, NET_FAILURE_TLS, "a TLS alert"},
    };
    for (size_t i = 0; i < sizeof ALERTS / sizeof ALERTS[0]; i++) {
        net_error_t error = alert(ALERTS[i].number, ALERTS[i].shown);
        CHECK(net_failure_classify(&error) == ALERTS[i].failure);
        CHECK_TEXT(detail(error), ALERTS[i].detail);
    }
    static const int HANG_UPS[] = {0x7280, 0x50, 0x4c, 0x4e};
    for (size_t i = 0; i < sizeof HANG_UPS / sizeof HANG_UPS[0]; i++) {
        net_error_t error = net_error(0x801a, HANG_UPS[i], 0);
        CHECK(net_failure_classify(&error) == NET_FAILURE_UNREACHABLE);
        CHECK_TEXT(detail(error), "it hung up during the TLS handshake");
        error.handshake.certificate_shown = true;
        CHECK(net_failure_classify(&error) == NET_FAILURE_REFUSED);
        CHECK_TEXT(detail(error), "it hung up on the device's certificate");
    }
}

static void expect_verdict(broker_attempt_t attempt, prov_failure_t failure, bool is_denied, const char *text)
{
    attempt.timeout_ms = 10000;
    broker_verdict_t verdict = broker_judge(&attempt);
    CHECK(verdict.failure == failure && verdict.is_denied == is_denied);
    /* Whatever a broker does, the device tries on; only a certificate does not become trusted by that. */
    CHECK(outlook_of(failure) == (failure == PROV_FAILURE_BROKER_UNTRUSTED ? OUTLOOK_NEEDS_HELP : OUTLOOK_TRIES_ON));
    CHECK_TEXT(verdict.detail, text);
}

/** Each way in which an attempt at the broker can end has a name that says what happened. */
static void test_broker_verdicts(void)
{
    static const struct {
        int code;
        prov_failure_t failure;
        bool is_denied;
    } CONNACKS[] = {
        {1, PROV_FAILURE_BROKER_REJECTED, false},    {2, PROV_FAILURE_BROKER_REJECTED, false},
        {3, PROV_FAILURE_BROKER_UNREACHABLE, false}, {4, PROV_FAILURE_BROKER_REJECTED, true},
        {5, PROV_FAILURE_BROKER_REJECTED, true},     {6, PROV_FAILURE_BROKER_BAD_RESPONSE, false},
        {255, PROV_FAILURE_BROKER_BAD_RESPONSE, false},
    };
    for (size_t i = 0; i < sizeof CONNACKS / sizeof CONNACKS[0]; i++) {
        char text[24];
        snprintf(text, sizeof text, "CONNACK code %d", CONNACKS[i].code);
        expect_verdict((broker_attempt_t){.refusal = CONNACKS[i].code}, CONNACKS[i].failure, CONNACKS[i].is_denied,
                       text);
    }
    broker_attempt_t before = {.refusal = BROKER_NO_CONNACK_CODE};
    before.duration_ms = 10000;
    expect_verdict(before, PROV_FAILURE_BROKER_UNREACHABLE, false, "no CONNACK in time");
    before.duration_ms = 300;
    expect_verdict(before, PROV_FAILURE_BROKER_BAD_RESPONSE, false, "no CONNACK");
    before.has_error = true;
    before.error = net_error(0, 0, 0);
    expect_verdict(before, PROV_FAILURE_BROKER_BAD_RESPONSE, false, "what came is not MQTT");
    before.error = net_error(0x8008, 0, 0);
    expect_verdict(before, PROV_FAILURE_BROKER_UNREACHABLE, false, "it closed the connection before CONNACK");
    before.error = net_error(0x8001, 0, 0);
    expect_verdict(before, PROV_FAILURE_DNS_FAILED, false, "broker");
    before.error = net_error(0x801a, 0x2700, 8);
    expect_verdict(before, PROV_FAILURE_BROKER_UNTRUSTED, false, "unknown CA");
    before.error = alert(48, true);
    expect_verdict(before, PROV_FAILURE_BROKER_REJECTED, false, "TLS alert unknown_ca");
    before.error = alert(70, false);
    expect_verdict(before, PROV_FAILURE_BROKER_TLS_FAILED, false, "TLS alert protocol_version");
    broker_attempt_t accepted = {.refusal = BROKER_NO_CONNACK_CODE, .has_connack = true};
    expect_verdict(accepted, PROV_FAILURE_PUBLISH_REFUSED, false, "it stopped answering");
    accepted.has_error = true;
    accepted.error = net_error(0x8008, 0, 0);
    expect_verdict(accepted, PROV_FAILURE_PUBLISH_REFUSED, false, "it closed the connection");
    accepted.error = net_error(0, 0, 0);
    expect_verdict(accepted, PROV_FAILURE_BROKER_BAD_RESPONSE, false, "what came is not MQTT");
    accepted.has_ack = true;
    expect_verdict(accepted, PROV_FAILURE_BROKER_LOST, false, "what came is not MQTT");
    accepted.error = net_error(0, 0x50, 0);
    expect_verdict(accepted, PROV_FAILURE_BROKER_LOST, false, "it closed the connection");
    accepted.has_error = false;
    expect_verdict(accepted, PROV_FAILURE_BROKER_LOST, false, "it stopped answering");
}

static void test_failure_names(void)
{
    CHECK_TEXT(prov_failure_code(PROV_FAILURE_NONE), "");
    CHECK_TEXT(prov_failure_code(PROV_FAILURE_WIFI_WRONG_PASSWORD), "wifi_wrong_password");
    CHECK_TEXT(prov_failure_code(PROV_FAILURE_BROKER_REJECTED), "broker_rejected");
    CHECK_TEXT(prov_failure_code(PROV_FAILURE_COUNT), "");
    for (int failure = 1; failure < PROV_FAILURE_COUNT; failure++) {
        CHECK(prov_failure_code((prov_failure_t)failure)[0] != '\0');
        CHECK(prov_failure_message((prov_failure_t)failure)[0] != '\0');
    }
}

/** The right values are those of coreutils' sha256sum; test/unit/ssid-digest.test.ts has the same. */
static void test_ssid_digest(void)
{
    static const struct {
        const char *id;
        const char *ssid;
        const char *digest;
    } CASES[] = {
        {"e2e-device", "Home", "36620ffcf470726f"},
        {"a", "b", "59b271ae1bbcb1d3"},
        {"plain", "K\xc3\xbc" "che", "58876fd4633cc68b"},
        {"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "ssssssssssssssssssssssssssssssss",
         "4e17d7c259e9f8f0"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char digest[SSID_DIGEST_LENGTH + 1];
        ssid_digest(CASES[i].id, CASES[i].ssid, digest);
        CHECK(strcmp(digest, CASES[i].digest) == 0);
    }
}

int main(void)
{
    test_backoff();
    test_backoff_memory();
    test_timers();
    test_renewal();
    test_pairing();
    test_rate_limit();
    test_networks();
    test_open_twins();
    test_utf8();
    test_net_failures();
    test_alerts();
    test_broker_verdicts();
    test_failure_names();
    test_ssid_digest();
    return check_result("small");
}
