/* Whose time the clock shows: NTP first, a client's only without it, and nothing that cannot be mended. */
#include <string.h>

#include "check.h"
#include "clock_judge.h"

#define DAY 86400
#define NOW INT64_C(1796000000) /* 2026-11-30 */
#define BUILD (NOW - 30 * DAY)
#define Y2030 INT64_C(1900000000)
#define Y2099 INT64_C(4090000000)

static clock_judge_t booted(const clock_record_t *stored)
{
    clock_judge_t judge;
    clock_judge_boot(&judge, BUILD, stored);
    return judge;
}

/** A client says `time`, and no time server answers. Returns what the clock shows then; 0 = as before. */
static int64_t offered(clock_judge_t *judge, int64_t time, int64_t shown)
{
    clock_judge_offer(judge, time, shown, 1000);
    return clock_judge_must_wait(judge) ? clock_judge_unanswered(judge, 1000) : 0;
}

static void test_build_time(void)
{
    CHECK(clock_build_time("Jan  1 1970") == 0);
    CHECK(clock_build_time("Nov 30 2026") == INT64_C(1795996800) - DAY);
    CHECK(clock_build_time("Feb  1 2024") == INT64_C(1706745600) - DAY);
    CHECK(clock_build_time("Mar  1 2024") == INT64_C(1709251200) - DAY);
    CHECK(clock_build_time("Dec 31 2099") == INT64_C(4102358400) - DAY);
    static const char *const NONE[] = {"", "30 Nov 2026", "Nov", "anF 1 2026", "Nov 0 2026", "Nov 32 2026", "Nov 1 1999"};
    for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++) {
        CHECK(clock_build_time(NONE[i]) == 0);
    }
}

static void test_client_without_ntp(void)
{
    clock_judge_t judge = booted(NULL);
    clock_record_t record;
    CHECK(!clock_judge_is_usable(&judge) && clock_judge_must_wait(&judge));
    CHECK(clock_judge_unanswered(&judge, 5000) == 0 && !clock_judge_is_usable(&judge));
    CHECK(clock_judge_offer(&judge, NOW, 5, 1000));
    CHECK(!clock_judge_is_usable(&judge)); /* not before a time server had its chance */
    CHECK(clock_judge_must_wait(&judge));
    CHECK(clock_judge_unanswered(&judge, 11000) == NOW + 10);
    CHECK(clock_judge_is_usable(&judge) && !clock_judge_must_wait(&judge));
    CHECK(!clock_judge_record(&judge, NOW, &record)); /* its word alone is not kept */
    CHECK(!clock_judge_offer(&judge, NOW + 20, NOW + 15, 16000)); /* agrees: nobody has to wait again */
    CHECK(!clock_judge_must_wait(&judge));
    clock_judge_prove(&judge);
    CHECK(clock_judge_record(&judge, NOW, &record) && record.time == NOW && record.anchor == 0);
}

static void test_impossible_times(void)
{
    static const int64_t TIMES[] = {0, 1, -1, PROV_TIME_MIN, BUILD - 1, NOW - 365 * DAY, PROV_TIME_MAX + 1, INT64_MAX,
                                    INT64_MIN};
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        clock_judge_t judge = booted(NULL);
        CHECK(offered(&judge, TIMES[i], 5) == 0);
        CHECK(!clock_judge_is_usable(&judge));
    }
    clock_judge_t judge;
    clock_judge_boot(&judge, 0, NULL); /* a reproducible build has no date */
    CHECK(!clock_judge_offer(&judge, PROV_TIME_MIN - 1, 5, 0) && clock_judge_offer(&judge, PROV_TIME_MIN, 5, 0));
}

static void test_ntp_comes_first(void)
{
    static const int64_t TIMES[] = {BUILD + DAY, NOW - DAY, Y2030, Y2099};
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        clock_judge_t judge = booted(NULL);
        clock_judge_offer(&judge, TIMES[i], 5, 0);
        clock_judge_synced(&judge);
        CHECK(!clock_judge_must_wait(&judge) && clock_judge_is_usable(&judge));
        CHECK(clock_judge_unanswered(&judge, 0) == 0); /* the offer is forgotten */
        CHECK(!clock_judge_offer(&judge, TIMES[i], NOW, 0));
        clock_judge_distrust(&judge);
        CHECK(clock_judge_is_usable(&judge)); /* what a time server said is not doubted */
    }
}

static void test_wrong_times_can_be_mended(void)
{
    static const int64_t WRONG[] = {Y2030, Y2099, BUILD};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        clock_judge_t judge = booted(NULL);
        clock_record_t record;
        CHECK(offered(&judge, WRONG[i], 5) == WRONG[i]);
        CHECK(!clock_judge_record(&judge, WRONG[i], &record));
        clock_judge_t by_ntp = judge;
        CHECK(offered(&judge, NOW, WRONG[i]) == NOW); /* by the owner */
        clock_judge_synced(&by_ntp); /* by a server that answers later */
        CHECK(by_ntp.source == CLOCK_NTP);
        /* Even one that a TLS peer took for right, after a restart. */
        judge = booted(&(clock_record_t){.time = WRONG[i]});
        CHECK(clock_judge_must_wait(&judge) && clock_judge_is_usable(&judge));
        CHECK(offered(&judge, NOW, WRONG[i]) == NOW);
    }
    /* And one that a time server gave, if no TLS peer ever agreed. */
    clock_judge_t judge = booted(NULL);
    clock_record_t record;
    clock_judge_synced(&judge);
    CHECK(clock_judge_record(&judge, Y2099, &record) && record.anchor == 0);
    judge = booted(&record);
    CHECK(offered(&judge, NOW, Y2099) == NOW);
}

static void test_anchor(void)
{
    clock_judge_t judge = booted(NULL);
    clock_record_t record;
    clock_judge_synced(&judge);
    clock_judge_prove(&judge);
    clock_judge_synced(&judge); /* again, an hour later: the proof lasts */
    CHECK(clock_judge_record(&judge, NOW, &record) && record.anchor == NOW);
    judge = booted(&record);
    CHECK(offered(&judge, NOW - DAY, NOW) == 0); /* an expired certificate stays expired */
    CHECK(judge.source == CLOCK_STORED);
    CHECK(offered(&judge, Y2030, NOW) == Y2030);
    CHECK(offered(&judge, NOW + DAY, Y2030) == NOW + DAY);
    clock_judge_prove(&judge);
    CHECK(clock_judge_record(&judge, NOW + DAY, &record));
    CHECK(record.time == NOW + DAY && record.anchor == NOW); /* no client moves it */
    judge = booted(&(clock_record_t){.time = NOW, .anchor = Y2099});
    CHECK(offered(&judge, NOW - DAY, NOW) == NOW - DAY); /* no anchor of ours */
}

static void test_boot(void)
{
    clock_judge_t judge;
    CHECK(clock_judge_boot(&judge, BUILD, NULL) == 0);
    CHECK(clock_judge_boot(&judge, BUILD, &(clock_record_t){.time = NOW}) == NOW);
    CHECK(clock_judge_boot(&judge, BUILD, &(clock_record_t){.time = BUILD - DAY}) == BUILD);
    CHECK(clock_judge_boot(&judge, BUILD, &(clock_record_t){.time = PROV_TIME_MIN - 1}) == 0);
    CHECK(clock_judge_boot(&judge, BUILD, &(clock_record_t){.time = PROV_TIME_MAX + 1}) == 0);
    CHECK(clock_judge_boot(&judge, BUILD, &(clock_record_t){.time = NOW}) == NOW);
    clock_judge_distrust(&judge);
    CHECK(!clock_judge_is_usable(&judge) && clock_judge_must_wait(&judge));
    clock_record_t record;
    clock_judge_prove(&judge); /* of what is not trusted, nothing is proven */
    CHECK(!clock_judge_record(&judge, NOW, &record));
    CHECK(offered(&judge, NOW, NOW) == NOW && clock_judge_is_usable(&judge));
}

int main(void)
{
    test_build_time();
    test_client_without_ntp();
    test_impossible_times();
    test_ntp_comes_first();
    test_wrong_times_can_be_mended();
    test_anchor();
    test_boot();
    return check_result("clock_judge");
}
