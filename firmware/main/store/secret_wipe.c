#include "secret_wipe.h"

#include <stdlib.h>
#include <string.h>

void secret_wipe(void *block, size_t size)
{
    if (block != NULL) {
        memset(block, 0, size);
        /* Says that somebody reads the block here, so that the zeros are needed. */
        __asm__ volatile("" : : "r"(block) : "memory");
    }
}

void secret_free(void *block, size_t size)
{
    secret_wipe(block, size);
    free(block);
}

void secret_free_text(char *text)
{
    secret_free(text, text != NULL ? strlen(text) : 0);
}
