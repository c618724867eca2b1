/* Pins that may carry the button: those that exist, can be pulled up and are not the flash's. */
#pragma once

#include <stdint.h>

#include "sdkconfig.h"

/** The bits from `first` to `last`, both included. */
#define BUTTON_PIN_RANGE(first, last) ((UINT64_MAX >> (63 - (last))) & (UINT64_MAX << (first)))

#if defined CONFIG_IDF_TARGET_ESP32
#define BUTTON_PINS                                                                                       \
    (BUTTON_PIN_RANGE(0, 5) | BUTTON_PIN_RANGE(12, 19) | BUTTON_PIN_RANGE(21, 23) | BUTTON_PIN_RANGE(25, 27) | \
     BUTTON_PIN_RANGE(32, 33))
#elif defined CONFIG_IDF_TARGET_ESP32S2
#define BUTTON_PINS (BUTTON_PIN_RANGE(0, 21) | BUTTON_PIN_RANGE(33, 45))
#elif defined CONFIG_IDF_TARGET_ESP32S3
#define BUTTON_PINS (BUTTON_PIN_RANGE(0, 21) | BUTTON_PIN_RANGE(33, 48))
#elif defined CONFIG_IDF_TARGET_ESP32C2
#define BUTTON_PINS (BUTTON_PIN_RANGE(0, 10) | BUTTON_PIN_RANGE(18, 20))
#elif defined CONFIG_IDF_TARGET_ESP32C3
#define BUTTON_PINS (BUTTON_PIN_RANGE(0, 10) | BUTTON_PIN_RANGE(18, 21))
#elif defined CONFIG_IDF_TARGET_ESP32C5
#define BUTTON_PINS (BUTTON_PIN_RANGE(0, 15) | BUTTON_PIN_RANGE(23, 28))
#elif defined CONFIG_IDF_TARGET_ESP32C6
#define BUTTON_PINS BUTTON_PIN_RANGE(0, 23)
#else
#define BUTTON_PINS BUTTON_PIN_RANGE(0, 54)
#endif
