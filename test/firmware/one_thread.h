/* FreeRTOS and the uptime clock for code that one thread runs: time passes where a test says so, and in vTaskDelay(). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** What device_clock_uptime_ms() says. */
extern int64_t g_uptime_ms;

/** How many messages lie in the one queue that there may be. */
extern size_t g_queued;
