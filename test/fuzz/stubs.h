/* ESP-IDF for one thread that must be fast and say nothing. */
#pragma once

#include <stdint.h>

/** The uptime clock of the code under test; the target moves it. */
extern int64_t stub_now_ms;

/** The state of esp_random(). */
extern uint32_t stub_random;
