#include "check.h"
#include "outlook.h"
#include "wifi_reasons.h"

#define F(name) PROV_FAILURE_##name
#define MAX_ATTEMPTS 5

/** Feeds up to `count` reasons and returns the verdict; `*used` is how many it took. */
static prov_failure_t judge_all(const uint16_t *reasons, size_t count, size_t *used)
{
    wifi_judge_t judge = {0};
    prov_failure_t verdict = F(NONE);
    for (*used = 0; *used < count && verdict == F(NONE);) {
        verdict = wifi_judge(&judge, reasons[(*used)++], MAX_ATTEMPTS);
    }
    return verdict;
}

#define VERDICT(expected, expected_used, ...)                                          \
    do {                                                                               \
        const uint16_t reasons[] = {__VA_ARGS__};                                      \
        size_t used = 0;                                                               \
        CHECK(judge_all(reasons, sizeof reasons / sizeof reasons[0], &used) == (expected)); \
        CHECK(used == (expected_used));                                                \
    } while (0)

static void test_classes(void)
{
    static const uint16_t PASSWORD[] = {14, 15, 202, 204};
    for (uint16_t reason = 0; reason < 300; reason++) {
        int expected = 0;
        for (size_t i = 0; i < sizeof PASSWORD / sizeof PASSWORD[0]; i++) {
            expected |= PASSWORD[i] == reason;
        }
        /* Nothing but these four may ever accuse the password. */
        CHECK((wifi_reason_failure(reason) == F(WIFI_WRONG_PASSWORD)) == expected);
        CHECK(outlook_of(wifi_reason_failure(reason)) == OUTLOOK_GIVES_UP);
    }
    CHECK(wifi_reason_failure(201) == F(WIFI_AP_NOT_FOUND));
    CHECK(wifi_reason_failure(210) == F(WIFI_WEAK_SECURITY));
    CHECK(wifi_reason_failure(211) == F(WIFI_WEAK_SECURITY));
    CHECK(wifi_reason_failure(212) == F(WIFI_WEAK_SIGNAL));
    CHECK(wifi_reason_failure(2) == F(WIFI_TIMEOUT));
    CHECK(wifi_reason_failure(1) == F(WIFI_TIMEOUT) && wifi_reason_failure(68) == F(WIFI_TIMEOUT));
    static const uint16_t UNKNOWN[] = {0, 69, 99, 199, 213, 255};
    for (size_t i = 0; i < sizeof UNKNOWN / sizeof UNKNOWN[0]; i++) {
        CHECK(wifi_reason_failure(UNKNOWN[i]) == F(WIFI_UNKNOWN));
    }
    for (uint16_t reason = 18; reason <= 24; reason++) {
        CHECK(wifi_reason_failure(reason) == F(WIFI_WEAK_SECURITY));
    }
    CHECK(wifi_reason_failure(WIFI_REASON_NO_ANSWER) == F(WIFI_TIMEOUT));
    CHECK(wifi_reason_failure(WIFI_REASON_NOT_STARTED) == F(WIFI_TIMEOUT));
    CHECK(wifi_reason_failure(WIFI_REASON_NO_ADDRESS) == F(DHCP_TIMEOUT));
}

static void test_verdicts(void)
{
    VERDICT(F(WIFI_WRONG_PASSWORD), 2, 15, 15);
    VERDICT(F(WIFI_WRONG_PASSWORD), 2, 204, 15);
    VERDICT(F(WIFI_WRONG_PASSWORD), 3, 2, 15, 202);
    VERDICT(F(NONE), 1, 15);
    VERDICT(F(NONE), 4, 15, 2, 15, 2);
    VERDICT(F(WIFI_TIMEOUT), 5, 15, 2, 15, 2, 15);
    VERDICT(F(WIFI_TIMEOUT), 5, 2, 2, 2, 2, 2);
    VERDICT(F(WIFI_TIMEOUT), 5, 200, 203, 205, 39, 8);
    VERDICT(F(WIFI_AP_NOT_FOUND), 3, 201, 201, 201);
    VERDICT(F(NONE), 2, 201, 201);
    VERDICT(F(WIFI_AP_NOT_FOUND), 5, 2, 201, 2, 2, 201);
    VERDICT(F(WIFI_WEAK_SECURITY), 2, 210, 211);
    VERDICT(F(WIFI_WEAK_SIGNAL), 5, 212, 212, 212, 212, 212);
    VERDICT(F(WIFI_UNKNOWN), 5, 99, 99, 99, 99, 99);
    VERDICT(F(WIFI_TIMEOUT), 5, 99, 99, 99, 99, 2);
    VERDICT(F(DHCP_TIMEOUT), 1, WIFI_REASON_NO_ADDRESS);
    VERDICT(F(WIFI_TIMEOUT), 5, WIFI_REASON_NO_ANSWER, WIFI_REASON_NO_ANSWER, WIFI_REASON_NO_ANSWER,
            WIFI_REASON_NO_ANSWER, WIFI_REASON_NO_ANSWER);
}

static void test_single_attempt(void)
{
    wifi_judge_t judge = {0};
    /* With one attempt allowed there is no second opinion, so no accusation either. */
    CHECK(wifi_judge(&judge, 15, 1) == F(WIFI_TIMEOUT));
}

int main(void)
{
    test_classes();
    test_verdicts();
    test_single_attempt();
    return check_result("wifi_reasons");
}
