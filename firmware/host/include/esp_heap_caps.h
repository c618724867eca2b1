/* Capability-based allocation: one heap has every capability. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MALLOC_CAP_8BIT (1 << 2)
#define MALLOC_CAP_INTERNAL (1 << 11)

/** Of a block that came from malloc() and is still in use. */
size_t heap_caps_get_allocated_size(void *block);
