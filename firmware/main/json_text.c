#include "json_text.h"

#include <stddef.h>

#include "json_memory.h"

json_text_t json_text_begin(void)
{
    unsigned failures = json_memory_failures();
    return (json_text_t){.root = cJSON_CreateObject(), .failures = failures};
}

char *json_text_end(json_text_t *text)
{
    char *printed = cJSON_PrintUnformatted(text->root);
    cJSON_Delete(text->root);
    text->root = NULL;
    if (json_memory_failures() != text->failures) {
        cJSON_free(printed);
        return NULL;
    }
    return printed;
}
