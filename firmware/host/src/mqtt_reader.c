#include "mqtt_reader.h"

#include <stdbool.h>

#include "host_connection.h"
#include "mqtt_packet.h"

static bool is_header_open(const mqtt_reader_t *reader)
{
    size_t at = 1;
    while (at < reader->filled && at < MQTT_FIXED_HEADER_MAX && (reader->buffer[at] & 0x80) != 0) {
        at++;
    }
    return at == reader->filled && at < MQTT_FIXED_HEADER_MAX;
}

/* How many bytes come next; 0: none, -1: esp-mqtt cannot read it. */
static long missing(mqtt_reader_t *reader)
{
    size_t header;
    if (reader->filled == 0 || is_header_open(reader)) {
        return reader->filled < reader->size ? 1 : -1;
    }
    reader->total = mqtt_total_length(reader->buffer, reader->filled, &header);
    if (reader->total <= reader->size) {
        return (long)(reader->total - reader->filled);
    }
    if (mqtt_type(reader->buffer) != MQTT_PUBLISH || header + 2 > reader->size) {
        return -1;
    }
    if (reader->filled < header + 2) {
        return (long)(header + 2 - reader->filled);
    }
    size_t topic = (size_t)reader->buffer[header] << 8 | reader->buffer[header + 1];
    bool is_room = header + topic + (mqtt_qos(reader->buffer) > 0 ? 2 : 0) <= reader->size;
    return is_room ? (long)(reader->size - reader->filled) : -1;
}

mqtt_read_t mqtt_reader_next(mqtt_reader_t *reader, int timeout_ms)
{
    for (;;) {
        long wanted = missing(reader);
        if (wanted <= 0) {
            return wanted == 0 ? MQTT_READ_PACKET : MQTT_READ_FAILED;
        }
        int count = reader->read(reader->source, reader->buffer + reader->filled, (size_t)wanted, timeout_ms);
        if (count == HOST_CONNECTION_TIMEOUT) {
            return reader->filled > 0 ? MQTT_READ_HALF : MQTT_READ_NOTHING;
        }
        bool is_mqtt = count > 0 && (reader->filled > 0 || mqtt_may_begin_with(reader->buffer[0]));
        if (!is_mqtt) {
            return MQTT_READ_FAILED;
        }
        reader->filled += (size_t)count;
        if (count < wanted) {
            return MQTT_READ_NOTHING;
        }
    }
}
