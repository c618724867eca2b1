/* FreeRTOS event groups. */
#include "freertos/event_groups.h"

#include <stdbool.h>
#include <stdlib.h>

#include "host_monitor.h"

struct EventGroupDef_t {
    host_monitor_t monitor;
    EventBits_t bits;
};

EventGroupHandle_t xEventGroupCreate(void)
{
    EventGroupHandle_t group = calloc(1, sizeof *group);
    if (group != NULL) {
        host_monitor_init(&group->monitor);
    }
    return group;
}

void vEventGroupDelete(EventGroupHandle_t xEventGroup)
{
    host_monitor_destroy(&xEventGroup->monitor);
    free(xEventGroup);
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t xEventGroup, const EventBits_t uxBitsToSet)
{
    host_monitor_lock(&xEventGroup->monitor);
    xEventGroup->bits |= uxBitsToSet;
    EventBits_t bits = xEventGroup->bits;
    host_monitor_notify(&xEventGroup->monitor);
    host_monitor_unlock(&xEventGroup->monitor);
    return bits;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t xEventGroup, const EventBits_t uxBitsToClear)
{
    host_monitor_lock(&xEventGroup->monitor);
    EventBits_t before = xEventGroup->bits;
    xEventGroup->bits &= ~uxBitsToClear;
    host_monitor_unlock(&xEventGroup->monitor);
    return before;
}

static bool are_set(EventBits_t bits, EventBits_t wanted, BaseType_t all)
{
    return all ? (bits & wanted) == wanted : (bits & wanted) != 0;
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t xEventGroup, const EventBits_t uxBitsToWaitFor,
                                const BaseType_t xClearOnExit, const BaseType_t xWaitForAllBits,
                                TickType_t xTicksToWait)
{
    int64_t deadline = host_deadline_of_ticks(xTicksToWait);
    host_monitor_lock(&xEventGroup->monitor);
    while (!are_set(xEventGroup->bits, uxBitsToWaitFor, xWaitForAllBits) &&
           host_monitor_wait_until(&xEventGroup->monitor, deadline)) {
    }
    EventBits_t bits = xEventGroup->bits;
    if (xClearOnExit && are_set(bits, uxBitsToWaitFor, xWaitForAllBits)) {
        xEventGroup->bits &= ~uxBitsToWaitFor;
    }
    host_monitor_unlock(&xEventGroup->monitor);
    return bits;
}
