/* The outside of the GPIO pins. */
#pragma once

#include <stdbool.h>

/** Drive `pin` from outside to 0 or 1; false when there is no such pin. Runs edge handlers. */
bool host_gpio_drive(unsigned pin, int level);
