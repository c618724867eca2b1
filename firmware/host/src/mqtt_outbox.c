#include "mqtt_outbox.h"

#include <stdlib.h>
#include <string.h>

mqtt_outbox_item_t *mqtt_outbox_add(mqtt_outbox_t *outbox, uint16_t id, const mqtt_writer_t *head, const void *tail,
                                    size_t tail_length, int64_t now_ms)
{
    size_t length = head->length + tail_length;
    mqtt_outbox_item_t **link = &outbox->first;
    mqtt_outbox_item_t *item = malloc(sizeof *item + length);
    if (item == NULL) {
        return NULL;
    }
    *item = (mqtt_outbox_item_t){.id = id, .since_ms = now_ms, .length = length};
    memcpy(item->packet, head->packet, head->length);
    if (tail_length > 0) {
        memcpy(item->packet + head->length, tail, tail_length);
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = item;
    outbox->bytes += length;
    return item;
}

mqtt_outbox_item_t *mqtt_outbox_first(const mqtt_outbox_t *outbox, mqtt_pending_t pending)
{
    mqtt_outbox_item_t *item = outbox->first;
    while (item != NULL && item->pending != pending) {
        item = item->next;
    }
    return item;
}

mqtt_outbox_item_t *mqtt_outbox_find(const mqtt_outbox_t *outbox, mqtt_packet_type_t type, uint16_t id)
{
    mqtt_outbox_item_t *item = outbox->first;
    while (item != NULL && (item->id != id || mqtt_type(item->packet) != type)) {
        item = item->next;
    }
    return item;
}

void mqtt_outbox_drop(mqtt_outbox_t *outbox, const mqtt_outbox_item_t *item)
{
    for (mqtt_outbox_item_t **link = &outbox->first; *link != NULL; link = &(*link)->next) {
        mqtt_outbox_item_t *candidate = *link;
        if (candidate == item) {
            *link = candidate->next;
            outbox->bytes -= candidate->length;
            free(candidate);
            return;
        }
    }
}

void mqtt_outbox_drop_before(mqtt_outbox_t *outbox, int64_t since_ms)
{
    for (mqtt_outbox_item_t *item = outbox->first, *next; item != NULL; item = next) {
        next = item->next;
        if (item->since_ms < since_ms) {
            mqtt_outbox_drop(outbox, item);
        }
    }
}
