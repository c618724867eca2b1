/* What a queue is made of; shared by queues and semaphores. */
#pragma once

#include <stdbool.h>

#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "host_monitor.h"

struct QueueDefinition {
    host_monitor_t monitor;
    UBaseType_t length;
    UBaseType_t item_size;
    UBaseType_t head;
    UBaseType_t count;
    unsigned char *items;
    /* Of mutexes only. */
    bool is_mutex;
    TaskHandle_t holder;
    UBaseType_t depth;
};

/** A queue; with item_size 0 it has no storage and only counts. NULL without memory. */
QueueHandle_t host_queue_create(UBaseType_t length, UBaseType_t item_size);
