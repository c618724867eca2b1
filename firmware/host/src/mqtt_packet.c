#include "mqtt_packet.h"

#include <string.h>

#define LENGTH_BYTES_MAX (MQTT_FIXED_HEADER_MAX - 1)
#define FLAGS_OF_REQUEST 0x02 /* PUBREL, SUBSCRIBE and UNSUBSCRIBE have them */

enum { CLEAN_SESSION = 1 << 1, WILL = 1 << 2, WILL_QOS_SHIFT = 3, WILL_RETAIN = 1 << 5 };
enum { PASSWORD = 1 << 6, USERNAME = 1 << 7 };

static void begin(mqtt_writer_t *writer)
{
    writer->packet = writer->buffer;
    writer->length = MQTT_FIXED_HEADER_MAX;
    writer->payload = 0;
}

static bool put(mqtt_writer_t *writer, const void *bytes, size_t size)
{
    if (writer->length > writer->size || size > writer->size - writer->length) {
        return false;
    }
    if (size > 0) {
        memcpy(writer->buffer + writer->length, bytes, size);
    }
    writer->length += size;
    return true;
}

static bool put_number(mqtt_writer_t *writer, size_t number)
{
    return put(writer, (const uint8_t[]){(uint8_t)(number >> 8), (uint8_t)number}, 2);
}

static bool put_bytes(mqtt_writer_t *writer, const void *bytes, size_t size)
{
    return size <= UINT16_MAX && put_number(writer, size) && put(writer, bytes, size);
}

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static bool put_text(mqtt_writer_t *writer, const char *text)
{
    return put_bytes(writer, text, is_empty(text) ? 0 : strlen(text));
}

/* Puts the fixed header in front of what was written. @param rest bytes of data that are still to follow */
static bool finish(mqtt_writer_t *writer, bool is_whole, mqtt_packet_type_t type, int flags, size_t rest)
{
    size_t there = writer->length - MQTT_FIXED_HEADER_MAX;
    uint8_t lengths[LENGTH_BYTES_MAX];
    size_t count = 0;
    size_t left = there + rest;
    writer->length = 0;
    if (!is_whole || writer->size < MQTT_FIXED_HEADER_MAX || left >> (7 * LENGTH_BYTES_MAX) != 0) {
        return false;
    }
    do {
        lengths[count++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
        left >>= 7;
    } while (left > 0);
    writer->packet = writer->buffer + MQTT_FIXED_HEADER_MAX - 1 - count;
    writer->packet[0] = (uint8_t)(type << 4 | flags);
    memcpy(writer->packet + 1, lengths, count);
    writer->length = 1 + count + there;
    return true;
}

bool mqtt_write_connect(mqtt_writer_t *writer, const mqtt_connect_t *connect)
{
    bool has_will = !is_empty(connect->will_topic);
    bool has_password = !is_empty(connect->password);
    bool has_username = has_password || !is_empty(connect->username); /* MQTT-3.1.2-22 */
    int will = WILL | (connect->will_qos & 3) << WILL_QOS_SHIFT | (connect->does_will_stay ? WILL_RETAIN : 0);
    uint8_t flags = (uint8_t)((connect->is_session_clean ? CLEAN_SESSION : 0) | (has_will ? will : 0) |
                              (has_username ? USERNAME : 0) | (has_password ? PASSWORD : 0));
    begin(writer);
    bool is_whole = put_text(writer, "MQTT") && put(writer, (const uint8_t[]){4, flags}, 2) &&
                    put_number(writer, connect->keepalive_s) && put_text(writer, connect->client_id) &&
                    (!has_will || (put_text(writer, connect->will_topic) &&
                                   put_bytes(writer, connect->will, connect->will_length))) &&
                    (!has_username || put_text(writer, connect->username)) &&
                    (!has_password || put_text(writer, connect->password));
    return finish(writer, is_whole, MQTT_CONNECT, 0, 0);
}

bool mqtt_write_publish(mqtt_writer_t *writer, const char *topic, const void *data, size_t size, int qos, bool retain,
                        uint16_t id)
{
    begin(writer);
    bool is_whole = !is_empty(topic) && put_text(writer, topic) && (qos == 0 || put_number(writer, id));
    size_t room = is_whole ? writer->size - writer->length : 0;
    writer->payload = size < room ? size : room;
    is_whole = is_whole && put(writer, data, writer->payload);
    return finish(writer, is_whole, MQTT_PUBLISH, (qos & 3) << 1 | (retain ? 1 : 0), size - writer->payload);
}

bool mqtt_write_request(mqtt_writer_t *writer, mqtt_packet_type_t type, const char *filter, int qos, uint16_t id)
{
    begin(writer);
    bool is_whole = !is_empty(filter) && put_number(writer, id) && put_text(writer, filter) &&
                    put(writer, (const uint8_t[]){(uint8_t)qos}, type == MQTT_SUBSCRIBE ? 1 : 0);
    return finish(writer, is_whole, type, FLAGS_OF_REQUEST, 0);
}

bool mqtt_write_short(mqtt_writer_t *writer, mqtt_packet_type_t type, uint16_t id)
{
    begin(writer);
    return finish(writer, id == 0 || put_number(writer, id), type, type == MQTT_PUBREL ? FLAGS_OF_REQUEST : 0, 0);
}

bool mqtt_may_begin_with(uint8_t byte)
{
    int flags = byte & 0x0f;
    switch (mqtt_type(&byte)) {
    case MQTT_PUBLISH:
        return mqtt_qos(&byte) < 3 && (mqtt_qos(&byte) > 0 || (flags & MQTT_DUP) == 0);
    case MQTT_PUBREL:
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        return flags == FLAGS_OF_REQUEST;
    default:
        return flags == 0 && mqtt_type(&byte) >= MQTT_CONNECT && mqtt_type(&byte) <= MQTT_DISCONNECT;
    }
}

size_t mqtt_total_length(const uint8_t *packet, size_t length, size_t *header_length)
{
    size_t total = 0;
    size_t at = 1;
    bool has_more = true;
    for (; at < length && at <= LENGTH_BYTES_MAX && has_more; at++) {
        total |= (size_t)(packet[at] & 0x7f) << (7 * (at - 1));
        has_more = (packet[at] & 0x80) != 0;
    }
    *header_length = at;
    return total + at;
}

static size_t number_at(const uint8_t *packet, size_t at)
{
    return (size_t)packet[at] << 8 | packet[at + 1];
}

uint16_t mqtt_id(const uint8_t *packet, size_t length)
{
    size_t at;
    mqtt_publish_t publish;
    mqtt_total_length(packet, length, &at);
    if (mqtt_type(packet) == MQTT_PUBLISH) {
        if (mqtt_qos(packet) == 0 || !mqtt_read_publish(packet, length, &publish)) {
            return 0;
        }
        at += 2 + publish.topic_length;
    } else if (mqtt_type(packet) < MQTT_PUBACK || mqtt_type(packet) > MQTT_UNSUBACK || at != 2) {
        return 0;
    }
    return at + 2 <= length ? (uint16_t)number_at(packet, at) : 0;
}

bool mqtt_read_publish(const uint8_t *packet, size_t length, mqtt_publish_t *publish)
{
    size_t at;
    size_t total = mqtt_total_length(packet, length, &at);
    size_t end = total < length ? total : length;
    if (at + 2 >= length) {
        return false;
    }
    publish->topic_length = number_at(packet, at);
    publish->topic = packet + at + 2;
    at += 2 + publish->topic_length;
    if (at > length) {
        return false;
    }
    at += mqtt_qos(packet) > 0 ? 2 : 0;
    publish->data = packet + (at < end ? at : end);
    publish->data_length = at < end ? end - at : 0;
    return true;
}
