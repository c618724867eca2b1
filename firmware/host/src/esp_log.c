/* The log: `L (ms) tag: message`, one write(2) a line, so lines of two tasks never mix. */
#include "esp_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host_monitor.h"

#define MAX_TAGS 32
#define MAX_TAG_LEN 32

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
#ifndef CONFIG_LOG_DEFAULT_LEVEL
#define CONFIG_LOG_DEFAULT_LEVEL ESP_LOG_INFO
#endif

static esp_log_level_t s_default_level = CONFIG_LOG_DEFAULT_LEVEL;
static struct {
    char tag[MAX_TAG_LEN];
    esp_log_level_t level;
} s_levels[MAX_TAGS];
static size_t s_level_count;

uint32_t esp_log_timestamp(void)
{
    return (uint32_t)(host_uptime_us() / 1000);
}

/* With s_lock held. */
static size_t find_tag(const char *tag)
{
    size_t i = 0;
    while (i < s_level_count && strcmp(s_levels[i].tag, tag) != 0) {
        i++;
    }
    return i;
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    pthread_mutex_lock(&s_lock);
    size_t i = find_tag(tag);
    if (strcmp(tag, "*") == 0) {
        s_default_level = level;
        s_level_count = 0; /* ESP-IDF resets the levels of all tags as well */
    } else if (i < MAX_TAGS) {
        snprintf(s_levels[i].tag, sizeof s_levels[i].tag, "%s", tag);
        s_levels[i].level = level;
        if (i == s_level_count) {
            s_level_count++;
        }
    }
    pthread_mutex_unlock(&s_lock);
}

esp_log_level_t esp_log_level_get(const char *tag)
{
    pthread_mutex_lock(&s_lock);
    size_t i = find_tag(tag);
    esp_log_level_t level = i < s_level_count ? s_levels[i].level : s_default_level;
    pthread_mutex_unlock(&s_lock);
    return level;
}

static void write_all(const char *text, size_t length)
{
    pthread_mutex_lock(&s_lock);
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, text, length);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            break; /* nobody reads the UART */
        }
        text += written;
        length -= (size_t)written;
    }
    pthread_mutex_unlock(&s_lock);
}

/* Print prefix, message and suffix into one buffer; the heap is only for long lines. */
static void write_formatted(const char *prefix, const char *suffix, const char *format,
                            va_list args)
{
    va_list again;
    va_copy(again, args);
    char line[512];
    size_t prefix_len = strlen(prefix);
    size_t suffix_len = strlen(suffix);
    memcpy(line, prefix, prefix_len);
    size_t room = sizeof line - prefix_len - suffix_len;
    int length = vsnprintf(line + prefix_len, room, format, args);
    if (length >= 0 && (size_t)length < room) {
        memcpy(line + prefix_len + length, suffix, suffix_len);
        write_all(line, prefix_len + (size_t)length + suffix_len);
    } else if (length >= 0) {
        size_t total = prefix_len + (size_t)length + suffix_len;
        char *long_line = malloc(total + 1);
        if (long_line != NULL) {
            memcpy(long_line, prefix, prefix_len);
            vsnprintf(long_line + prefix_len, (size_t)length + 1, format, again);
            memcpy(long_line + prefix_len + length, suffix, suffix_len);
            write_all(long_line, total);
            free(long_line);
        }
    }
    va_end(again);
}

void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args)
{
    if (level != ESP_LOG_NONE && level <= esp_log_level_get(tag)) {
        write_formatted("", "", format, args);
    }
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    esp_log_writev(level, tag, format, args);
    va_end(args);
}

void esp_log_host_line(esp_log_level_t level, const char *tag, const char *format, ...)
{
    if (level == ESP_LOG_NONE || level > esp_log_level_get(tag)) {
        return;
    }
    char prefix[128];
    snprintf(prefix, sizeof prefix, "%c (%" PRIu32 ") %.64s: ", "NEWIDV"[level],
             esp_log_timestamp(), tag);
    va_list args;
    va_start(args, format);
    write_formatted(prefix, "\n", format, args);
    va_end(args);
}
