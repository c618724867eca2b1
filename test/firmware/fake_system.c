/* ESP-IDF for one task that is run by hand (runner_task.c). */
#include <stdarg.h>
#include <stdio.h>

#include "device_clock.h"
#include "esp_log.h"
#include "esp_random.h"
#include "esp_system.h"
#include "fakes.h"
#include "one_thread.h"

#define BOOTED_AT INT64_C(1750000000)

jmp_buf fakes_restarted;

int64_t device_clock_now(void)
{
    return BOOTED_AT + g_uptime_ms / 1000;
}

uint32_t esp_random(void)
{
    return 7;
}

void esp_restart(void)
{
    fakes_note("restart");
    longjmp(fakes_restarted, 1);
}

void esp_log_host_line(esp_log_level_t level, const char *tag, const char *format, ...)
{
    if (level > ESP_LOG_INFO) {
        return;
    }
    va_list args;
    va_start(args, format);
    printf("(%lld) %s: ", (long long)g_uptime_ms, tag);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}
