#include "clock_judge.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400
/* A client that agrees so closely has nothing to tell, and nobody has to wait for a time server. */
#define AGREED_S 60

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    /* The year begins in March: the day that comes and goes is the last. */
    year -= month <= 2;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

int64_t clock_build_time(const char *date)
{
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4] = "";
    int day = 0;
    int year = 0;
    if (sscanf(date, "%3s %d %d", name, &day, &year) != 3 || strlen(name) != 3 || day < 1 || day > 31) {
        return 0;
    }
    const char *found = strstr(MONTHS, name);
    if (found == NULL || (found - MONTHS) % 3 != 0 || year < 2000 || year > 2100) {
        return 0;
    }
    return (days_from_civil(year, (found - MONTHS) / 3 + 1, day) - 1) * DAY_S;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t clock_judge_boot(clock_judge_t *judge, int64_t build_time, const clock_record_t *stored)
{
    *judge = (clock_judge_t){.build_time = later(build_time, PROV_TIME_MIN)};
    if (stored == NULL || stored->time < PROV_TIME_MIN || stored->time > PROV_TIME_MAX) {
        return 0;
    }
    judge->source = CLOCK_STORED;
    judge->anchor = stored->anchor <= stored->time ? stored->anchor : 0;
    return later(stored->time, judge->build_time);
}

bool clock_judge_offer(clock_judge_t *judge, int64_t unix_seconds, int64_t now, int64_t uptime_ms)
{
    int64_t earliest = later(judge->build_time, judge->anchor);
    if (judge->source == CLOCK_NTP || unix_seconds < earliest || unix_seconds > PROV_TIME_MAX) {
        return false;
    }
    bool agrees = unix_seconds - now < AGREED_S && now - unix_seconds < AGREED_S;
    judge->offer = 0; /* the newest counts, even if it says that the clock is right */
    if (agrees && clock_judge_is_usable(judge)) {
        return false;
    }
    judge->offer = unix_seconds;
    judge->offered_at_ms = uptime_ms;
    return true;
}

bool clock_judge_must_wait(const clock_judge_t *judge)
{
    bool is_settled = judge->source == CLOCK_CLIENT && judge->offer == 0 && !judge->is_distrusted;
    return judge->source != CLOCK_NTP && !is_settled;
}

static void take(clock_judge_t *judge, clock_source_t source)
{
    judge->source = source;
    judge->is_proven = false;
    judge->is_distrusted = false;
    judge->offer = 0;
}

void clock_judge_synced(clock_judge_t *judge)
{
    if (judge->source != CLOCK_NTP) { /* it answers every hour, and a proof lasts */
        take(judge, CLOCK_NTP);
    }
}

int64_t clock_judge_unanswered(clock_judge_t *judge, int64_t uptime_ms)
{
    if (judge->offer == 0) {
        return 0;
    }
    int64_t now = judge->offer + (uptime_ms - judge->offered_at_ms) / 1000;
    take(judge, CLOCK_CLIENT);
    return now;
}

bool clock_judge_is_usable(const clock_judge_t *judge)
{
    return judge->source != CLOCK_UNKNOWN && !judge->is_distrusted;
}

void clock_judge_distrust(clock_judge_t *judge)
{
    judge->is_distrusted = judge->source != CLOCK_NTP;
}

void clock_judge_prove(clock_judge_t *judge)
{
    judge->is_proven = clock_judge_is_usable(judge);
}

bool clock_judge_record(const clock_judge_t *judge, int64_t now, clock_record_t *out)
{
    bool is_ntp = judge->source == CLOCK_NTP;
    *out = (clock_record_t){.time = now, .anchor = is_ntp && judge->is_proven ? now : judge->anchor};
    return is_ntp || judge->is_proven;
}
