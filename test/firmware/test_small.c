/* The small pure parts: backoff, timers, the list of networks, TLS failures, failure names. */
#include "backoff.h"
#include "check.h"
#include "net_failure.h"
#include "pairing.h"
#include "prov_failure.h"
#include "prov_timers.h"
#include "renewal.h"
#include "ssid_digest.h"
#include "wifi_networks.h"

static void test_backoff(void)
{
    for (uint32_t random = 0; random < 5000; random += 7) {
        for (uint32_t failures = 0; failures < 12; failures++) {
            uint32_t delay = backoff_delay_ms(failures, 1000, 60000, random);
            uint32_t full = failures < 2 ? 1000 : 1000u << (failures - 1);
            full = full > 60000 ? 60000 : full;
            CHECK(delay >= full / 2 && delay <= full);
        }
    }
    CHECK(backoff_delay_ms(UINT32_MAX, 500, 30000, UINT32_MAX) <= 30000);
    CHECK(backoff_delay_ms(3, 0, 0, 5) == 0);
    CHECK(backoff_delay_ms(9, 1000, 500, 3) <= 500);
    CHECK(backoff_delay_ms(1, 1000, 60000, 0) != backoff_delay_ms(1, 1000, 60000, 250));
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

static void add(wifi_network_t *list, size_t *count, const char *ssid, int rssi)
{
    wifi_network_t network = {.rssi = (int8_t)rssi};
    snprintf(network.ssid, sizeof network.ssid, "%s", ssid);
    wifi_networks_add(list, count, &network);
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

static net_failure_t classify(int last_error, int stack_error, int flags)
{
    return net_failure_classify(
        &(net_error_t){.last_error = last_error, .stack_error = stack_error, .verify_flags = flags});
}

static void test_net_failures(void)
{
    CHECK(classify(0x8001, 0, 0) == NET_FAILURE_DNS);
    CHECK(classify(0x8004, 0, 0) == NET_FAILURE_UNREACHABLE);
    CHECK(classify(0x8006, 0, 0) == NET_FAILURE_UNREACHABLE);
    CHECK(classify(0, 0, 0) == NET_FAILURE_UNREACHABLE);
    CHECK(classify(0x801a, 0x2700, 8) == NET_FAILURE_UNTRUSTED);
    CHECK(classify(0x801a, 0x2700, 0) == NET_FAILURE_UNTRUSTED);
    CHECK(classify(0x801a, -0x2700, 0) == NET_FAILURE_UNTRUSTED);
    CHECK(classify(0x801a, 0x3000, 0) == NET_FAILURE_UNTRUSTED);
    CHECK(classify(0x801a, 0x7780, 0) == NET_FAILURE_REFUSED);
    CHECK(classify(0x8008, 0, 0) == NET_FAILURE_REFUSED);
    CHECK(classify(0x801a, 0x7280, 0) == NET_FAILURE_UNREACHABLE);
    CHECK_TEXT(net_failure_detail(&(net_error_t){.verify_flags = 8 | 1}), "unknown CA");
    CHECK_TEXT(net_failure_detail(&(net_error_t){.verify_flags = 1}), "it has expired");
    CHECK_TEXT(net_failure_detail(&(net_error_t){.verify_flags = 0x200}), "it is not valid yet");
    CHECK_TEXT(net_failure_detail(&(net_error_t){.verify_flags = 4}), "it is for another host name");
    CHECK_TEXT(net_failure_detail(&(net_error_t){0}), "");
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
    test_timers();
    test_renewal();
    test_pairing();
    test_rate_limit();
    test_networks();
    test_utf8();
    test_net_failures();
    test_failure_names();
    test_ssid_digest();
    return check_result("small");
}
