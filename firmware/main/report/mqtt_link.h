/* One mutual-TLS MQTT connection. All functions block and belong to the network task. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "certificate_record.h"

/**
 * Replaces the connection by a new attempt. Takes ownership of `certificate`. What happens is posted with
 * `job_id`: MQTT_ACCEPTED at CONNACK, PUBLISHED with each acknowledgement, and BROKER_FAILED when the connection
 * ends, however far it had come. There is no reconnection behind the state machine's back: each attempt is a new
 * client.
 */
bool mqtt_link_start(certificate_t *certificate, uint32_t job_id);

/** Ends the connection with a DISCONNECT, so that nobody hears of it: the next one is about to begin. */
void mqtt_link_stop(void);

/** The same for good: tells the broker first that the device is offline, and waits `wait_ms` for it to have heard. */
void mqtt_link_leave(uint32_t wait_ms);

/** Publishes a retained status message; false when there is no connection to do so. */
bool mqtt_link_publish_status(const char *json);
