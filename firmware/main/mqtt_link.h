/* One mutual-TLS MQTT connection. All functions block and belong to the network task. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "prov_records.h"

/**
 * Replaces the connection by a new attempt. Takes ownership of `certificate`. The outcome is posted
 * with `job_id`: MQTT_UP, or BROKER_FAILED, or, after MQTT_UP, MQTT_LOST. There is no reconnection
 * behind the state machine's back: each attempt is a new client.
 */
bool mqtt_link_start(certificate_t *certificate, uint32_t job_id);
void mqtt_link_stop(void);

/** Publishes the retained status message; false when there is no connection to do so. */
bool mqtt_link_publish_status(const char *json);
