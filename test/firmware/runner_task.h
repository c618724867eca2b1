/* The runner's task, run by hand. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "prov_state.h"

/** A device starts, with what the faked storage holds. */
bool runner_power_on(esp_err_t storage);

/** What it is in, whether others see it or not. */
prov_state_t runner_state(void);

/** How long the task would sleep. */
int64_t runner_wait_ms(void);

/** One round of it: sleeps, which takes no time, then serves all messages, and one deadline that is over. */
void runner_round(void);
