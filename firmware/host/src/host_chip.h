/* What of a chip the drivers check: the board says by PROV_HOST_CHIP which one it plays. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name;    /* as ESP-IDF spells it */
    uint64_t pins;       /* SOC_GPIO_VALID_GPIO_MASK */
    uint64_t inputs;     /* of these, the ones that are inputs alone, without pull-ups */
    uint8_t ap_clients;  /* ESP_WIFI_MAX_CONN_NUM */
} host_chip_t;

/** NULL for one that prov does not know. */
const host_chip_t *host_chip_by_name(const char *name);
