/* The packets of MQTT 3.1.1 that a client writes and reads, with the limits that esp-mqtt has. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
} mqtt_packet_type_t;

/** The longest fixed header, and a flag in the first byte of a PUBLISH. */
enum { MQTT_FIXED_HEADER_MAX = 5, MQTT_DUP = 0x08 };

static inline mqtt_packet_type_t mqtt_type(const uint8_t *packet)
{
    return (mqtt_packet_type_t)(packet[0] >> 4);
}

static inline int mqtt_qos(const uint8_t *packet)
{
    return packet[0] >> 1 & 3;
}

/** Where packets are written, one at a time. */
typedef struct {
    uint8_t *buffer;
    size_t size;
    uint8_t *packet; /* within the buffer: the last one */
    size_t length;   /* of what is there of it; 0: it does not fit */
    size_t payload;  /* bytes of a PUBLISH's data in there; the rest of it follows as it is */
} mqtt_writer_t;

typedef struct {
    const char *client_id, *username, *password; /* NULL or empty: none */
    const char *will_topic;                      /* NULL or empty: no last will */
    const char *will;
    size_t will_length;
    int will_qos;
    bool does_will_stay, is_session_clean;
    uint16_t keepalive_s;
} mqtt_connect_t;

/* Each returns whether the packet fits; it takes five bytes for a fixed header, however short that is. */
bool mqtt_write_connect(mqtt_writer_t *writer, const mqtt_connect_t *connect);
/** One that does not fit is begun only: see `payload`. */
bool mqtt_write_publish(mqtt_writer_t *writer, const char *topic, const void *data, size_t size, int qos, bool retain,
                        uint16_t id);
/** SUBSCRIBE, or UNSUBSCRIBE, which has no QoS. */
bool mqtt_write_request(mqtt_writer_t *writer, mqtt_packet_type_t type, const char *filter, int qos, uint16_t id);
/** Acknowledgements, and with the id 0, which is none, PINGREQ and DISCONNECT. */
bool mqtt_write_short(mqtt_writer_t *writer, mqtt_packet_type_t type, uint16_t id);

/** Whether a packet may begin so: its type is known, and its flags are that type's. */
bool mqtt_may_begin_with(uint8_t byte);
/** How long the whole packet is. @param header_length how long its fixed header is */
size_t mqtt_total_length(const uint8_t *packet, size_t length, size_t *header_length);
/** The packet's id; 0 when there is none. */
uint16_t mqtt_id(const uint8_t *packet, size_t length);

typedef struct {
    const uint8_t *topic, *data; /* within the packet */
    size_t topic_length, data_length;
} mqtt_publish_t;

/** Reads the beginning of a PUBLISH. @return false when its topic is not there as a whole */
bool mqtt_read_publish(const uint8_t *packet, size_t length, mqtt_publish_t *publish);
