/*
 * The board's wall clock. A board without a battery wakes up in 1970; SNTP or the application
 * sets it. `time`, `gettimeofday`, `settimeofday` and `clock_gettime(CLOCK_REALTIME)` of the
 * firmware (and of statically linked mbedTLS) are linked to it with -Wl,--wrap.
 */
#pragma once

#include <stdint.h>
#include <time.h>

/** Microseconds since 1970 on the board's clock. */
int64_t host_clock_now_us(void);
/** Whole seconds since 1970 on the board's clock. */
time_t host_clock_now(void);
void host_clock_set_us(int64_t now_us);
/** Microseconds since 1970 on the kernel's clock: what an SNTP server would say. */
int64_t host_clock_true_time_us(void);
