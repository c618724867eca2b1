/* The one task that owns the state machine: judges what it is told, steps, carries out the actions. */
#pragma once

#include "esp_err.h"
#include "prov_failure.h"

/** What is amiss from the start: /status says so until a provisioning begins. Before prov_runner_start(). */
void prov_runner_note(prov_failure_t failure, const char *detail);

/** Starts the task and with it the state machine. `storage` is the outcome of device_store_init(). */
esp_err_t prov_runner_start(esp_err_t storage);
