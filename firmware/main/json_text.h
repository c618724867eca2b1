/* Documents that we write: as a whole, or not at all. */
#pragma once

#include "cJSON.h"

typedef struct {
    cJSON *root;
    unsigned failures;
} json_text_t;

/** An object to add to; cJSON takes a NULL, so that nothing has to be asked before the end. */
json_text_t json_text_begin(void);

/** Its text, which the caller frees with cJSON_free(); NULL when there was no memory for a part of it. */
char *json_text_end(json_text_t *text);
