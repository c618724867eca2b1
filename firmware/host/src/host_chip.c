#include "host_chip.h"

#include <stddef.h>
#include <string.h>

#define PINS(first, last) ((UINT64_MAX >> (63 - (last))) & (UINT64_MAX << (first)))

/* soc_caps.h and esp_wifi_types.h of ESP-IDF 5.5. */
static const host_chip_t CHIPS[] = {
    {"esp32", PINS(0, 23) | PINS(25, 27) | PINS(32, 39), PINS(34, 39), 15},
    {"esp32s2", PINS(0, 21) | PINS(26, 46), PINS(46, 46), 15},
    {"esp32s3", PINS(0, 21) | PINS(26, 48), 0, 15},
    {"esp32c2", PINS(0, 20), 0, 4},
    {"esp32c3", PINS(0, 21), 0, 10},
    {"esp32c5", PINS(0, 28), 0, 10},
    {"esp32c6", PINS(0, 30), 0, 10},
};

const host_chip_t *host_chip_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof CHIPS / sizeof CHIPS[0]; i++) {
        if (strcmp(CHIPS[i].name, name) == 0) {
            return &CHIPS[i];
        }
    }
    return NULL;
}
