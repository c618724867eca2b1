/* Puts packets together from what comes in, as esp-mqtt does it: of a PUBLISH that is too long, the beginning. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *buffer;
    size_t size;
    size_t filled; /* bytes there; set it to 0 for the next packet */
    size_t total;  /* of the packet, also where the buffer is shorter */
    /** Up to `size` bytes; as host_connection_read(), whose codes it returns. */
    int (*read)(void *source, void *buffer, size_t size, int timeout_ms);
    void *source;
} mqtt_reader_t;

typedef enum {
    MQTT_READ_NOTHING = 0, /* no packet has begun, or it goes on */
    MQTT_READ_PACKET,      /* all of it is there, or all of the buffer */
    MQTT_READ_HALF,        /* one that had begun did not go on in time */
    MQTT_READ_FAILED,      /* no connection, or what came is not MQTT */
} mqtt_read_t;

/** @param timeout_ms for each part: a byte of the fixed header, or what is still missing behind it */
mqtt_read_t mqtt_reader_next(mqtt_reader_t *reader, int timeout_ms);
