/*
 * The heap of the chip, on this machine: what the firmware, the libraries that are linked statically, cJSON (through its
 * hooks) and the port allocate counts against as many bytes as a chip has, times what pointers of 64 bits need more. The
 * linker's --wrap leads malloc() and its kin here; what glibc allocates by itself, nobody counts. One heap: no regions,
 * no fragments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All sizes in bytes of the chip. */

/** For what ESP-IDF has on its heap and the port elsewhere, as stacks. False: there is not so much left. */
bool host_heap_take(uint32_t chip_bytes);
void host_heap_give(uint32_t chip_bytes);
uint32_t host_heap_free(void);
/** The least that was ever free. */
uint32_t host_heap_least_free(void);

/** Until host_heap_resume(), what this thread allocates and frees belongs to the machine around the chip. Nests. */
void host_heap_pause(void);
void host_heap_resume(void);
