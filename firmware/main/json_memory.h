/* What JSON leaves behind on the heap: nothing. */
#pragma once

/**
 * From now on every block that cJSON gives back is wiped: values, the parts of a document that turned out
 * to be none, printed text and its shorter predecessors. Call once, before anything else uses cJSON.
 */
void json_memory_init(void);

/**
 * How often cJSON has found no memory since boot, in whatever task. It says "malformed" then, and leaves out what it was
 * to add: a document that was made or read while this grew is not to be relied on.
 */
unsigned json_memory_failures(void);
