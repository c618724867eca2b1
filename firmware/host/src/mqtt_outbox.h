/* What waits to be sent or acknowledged, oldest first. Pure: the time is the caller's. */
#pragma once

#include <stdint.h>

#include "mqtt_packet.h"

typedef enum { MQTT_QUEUED, MQTT_TRANSMITTED, MQTT_RECEIVED /* by the broker: PUBREC came */ } mqtt_pending_t;

typedef struct mqtt_outbox_item {
    struct mqtt_outbox_item *next;
    uint16_t id;
    mqtt_pending_t pending;
    int64_t since_ms; /* when it was sent for the first time; until then, when it was queued */
    size_t length;
    uint8_t packet[];
} mqtt_outbox_item_t;

typedef struct {
    mqtt_outbox_item_t *first;
    size_t bytes;
} mqtt_outbox_t;

/** Queues what was written, and the data that did not fit. @return NULL without memory */
mqtt_outbox_item_t *mqtt_outbox_add(mqtt_outbox_t *outbox, uint16_t id, const mqtt_writer_t *head, const void *tail,
                                    size_t tail_length, int64_t now_ms);
/** The oldest of those; NULL: there is none. */
mqtt_outbox_item_t *mqtt_outbox_first(const mqtt_outbox_t *outbox, mqtt_pending_t pending);
mqtt_outbox_item_t *mqtt_outbox_find(const mqtt_outbox_t *outbox, mqtt_packet_type_t type, uint16_t id);
/** NULL is none of them. */
void mqtt_outbox_drop(mqtt_outbox_t *outbox, const mqtt_outbox_item_t *item);
void mqtt_outbox_drop_before(mqtt_outbox_t *outbox, int64_t since_ms);
