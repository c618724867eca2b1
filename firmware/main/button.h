/* The BOOT button: held for PROV_BUTTON_HOLD_MS, it resets the device to its factory state. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** How often button_poll() wants to be called. */
#define BUTTON_POLL_MS 100

void button_init(void);

/** True once per press, when the button has been down for the whole time. */
bool button_poll(int64_t now_ms);
