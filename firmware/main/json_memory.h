/* What JSON leaves behind on the heap: nothing. */
#pragma once

/**
 * From now on every block that cJSON gives back is wiped: values, the parts of a document that turned out
 * to be none, printed text and its shorter predecessors. Call once, before anything else uses cJSON.
 */
void json_memory_init(void);
