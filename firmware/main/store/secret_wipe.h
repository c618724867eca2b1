/* Forgetting secrets in memory. A memset() before free(), or at the end of a block, is left out by the optimiser. */
#pragma once

#include <stddef.h>

/** Zeroes the block, whatever becomes of it afterwards. NULL is allowed. */
void secret_wipe(void *block, size_t size);

/** Wipes a heap block, then frees it. NULL is allowed. */
void secret_free(void *block, size_t size);

/** The same of a text. */
void secret_free_text(char *text);
