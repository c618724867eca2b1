/* ESP-IDF for one thread that must be fast and say nothing. */
#include "stubs.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_heap_caps.h"
#include "esp_log.h"
#include "esp_random.h"

uint32_t stub_random;

void esp_log_host_line(esp_log_level_t level, const char *tag, const char *format, ...)
{
    static int s_is_wanted = -1; /* FUZZ_LOG=1, to see what an input does */
    s_is_wanted = s_is_wanted < 0 ? getenv("FUZZ_LOG") != NULL : s_is_wanted;
    if (s_is_wanted != 0) {
        va_list args;
        va_start(args, format);
        fprintf(stderr, "%d %s: ", (int)level, tag);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
        va_end(args);
    }
}

size_t heap_caps_get_allocated_size(void *block)
{
    return malloc_usable_size(block);
}

const char *esp_err_to_name(esp_err_t code)
{
    (void)code;
    return "";
}

uint32_t esp_random(void)
{
    stub_random = (uint32_t)(stub_random * UINT64_C(1664525) + 1013904223u);
    return stub_random;
}

const esp_app_desc_t *esp_app_get_description(void)
{
    static const esp_app_desc_t DESCRIPTION = {.version = "0"};
    return &DESCRIPTION;
}
