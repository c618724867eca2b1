/* ESP-IDF for one thread that must be fast and say nothing. */
#pragma once

#include <stdint.h>

#include "one_thread.h"

/** The state of esp_random(). */
extern uint32_t stub_random;
