#include "host_control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host_gpio.h"
#include "host_shutdown.h"
#include "host_stack.h"

#define MAX_LINE 64

static const char *TAG = "host_control";
static int s_fd;

static void obey(const char *line)
{
    unsigned pin;
    unsigned level;
    char rest;
    if (sscanf(line, "gpio %u %u %c", &pin, &level, &rest) == 2 && level <= 1 &&
        host_gpio_drive(pin, (int)level)) {
        return;
    }
    ESP_LOGW(TAG, "not understood: %s", line);
}

/* Without a peer (a file, /dev/null) the end of the input means nothing. */
static bool has_peer(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

static void read_commands(void *argument)
{
    (void)argument;
    char line[MAX_LINE];
    size_t length = 0;
    char byte;
    for (;;) {
        ssize_t got = read(s_fd, &byte, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        if (byte == '\n') {
            line[length] = '\0';
            obey(line);
            length = 0;
        } else if (length < sizeof line - 1) {
            line[length++] = byte;
        }
    }
    if (has_peer(s_fd)) {
        host_shutdown(HOST_EXIT_POWER_OFF);
    }
    vTaskDelete(NULL);
}

void host_control_start(int fd)
{
    s_fd = fd;
    if (xTaskCreate(read_commands, "host_control", HOST_OWN_STACK, NULL, 1, NULL) != pdPASS) {
        abort();
    }
}
