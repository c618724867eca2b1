/* Whose time the clock shows, and whose it may take. Pure: device_clock.c does what this says. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "prov_records.h"

/** No clock that shows less has ever been set; one that shows more has. Unix seconds. */
#define PROV_TIME_MIN 1700000000
/** 2100-01-01: later times are typing errors. */
#define PROV_TIME_MAX 4102444800

typedef enum {
    CLOCK_UNKNOWN,
    CLOCK_STORED, /* of the last boot: it may be far behind */
    CLOCK_CLIENT, /* of whoever provisioned, as no time server answered */
    CLOCK_NTP,
} clock_source_t;

typedef struct {
    clock_source_t source;
    bool is_proven;    /* a TLS handshake has checked dates by it */
    bool is_distrusted;
    int64_t build_time; /* Unix seconds: what is before cannot be now */
    int64_t anchor;     /* of the record */
    int64_t offer;     /* a client's time, until it is known whether a time server answers; 0 = none */
    int64_t offered_at_ms; /* uptime */
} clock_judge_t;

/**
 * Unix seconds of the day before `date` ("Nov 30 2026", as __DATE__ writes it, in an unknown time zone);
 * 0 when it is none, as in a reproducible build.
 */
int64_t clock_build_time(const char *date);

/**
 * `build_time`: no time before it is right; 0 = unknown. `stored` may be NULL. Returns what the clock is to
 * show, 0 for nothing: what it shows after a restart is nobody's, so it counts for nothing.
 */
int64_t clock_judge_boot(clock_judge_t *judge, int64_t build_time, const clock_record_t *stored);

/** A client's time; `now` is what the clock shows. False when it cannot be right or is not needed. */
bool clock_judge_offer(clock_judge_t *judge, int64_t unix_seconds, int64_t now, int64_t uptime_ms);

/** Whether the time servers have to be asked, and their answer waited for, before the clock is used. */
bool clock_judge_must_wait(const clock_judge_t *judge);

/** A time server answered, and the clock shows what it said. */
void clock_judge_synced(clock_judge_t *judge);

/** None answered. Returns what the clock is to show instead; 0 = let it be. */
int64_t clock_judge_unanswered(clock_judge_t *judge, int64_t uptime_ms);

/** Is the clock good enough to check certificates with? */
bool clock_judge_is_usable(const clock_judge_t *judge);

/** A certificate begins in its future, so it is wrong. What a time server said is not doubted. */
void clock_judge_distrust(clock_judge_t *judge);

/** A TLS handshake, dates included, succeeded with what the clock shows. */
void clock_judge_prove(clock_judge_t *judge);

/** What to keep of `now`; false = nothing, as nobody but a client vouches for it. */
bool clock_judge_record(const clock_judge_t *judge, int64_t now, clock_record_t *out);
