/* Power on: read the environment, open the flash, call app_main. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_random.h"
#include "flash_file.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host_control.h"
#include "host_env.h"
#include "host_monitor.h"
#include "host_shutdown.h"
#include "host_stack.h"

static const char *TAG = "host";

#ifndef CONFIG_ESP_MAIN_TASK_STACK_SIZE
#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 3584
#endif

void app_main(void);

static void main_task(void *argument)
{
    (void)argument;
    app_main();
    vTaskDelete(NULL);
}

/* SIGTERM is the power switch. It is taken in a thread, where locks may be used. */
static void await_power_off(void *argument)
{
    (void)argument;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    int signal_number;
    sigwait(&signals, &signal_number);
    host_shutdown(HOST_EXIT_POWER_OFF);
}

static void set_up_signals(void)
{
    signal(SIGPIPE, SIG_IGN); /* a closed socket is an error code, as on the chip */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* inherited by all tasks */
    if (xTaskCreate(await_power_off, "host_power", HOST_OWN_STACK, NULL, 24, NULL) != pdPASS) {
        abort();
    }
}

static void open_flash(void)
{
    const char *path = host_env()->flash_path;
    if (path == NULL) {
        return; /* a program without NVS; nvs_flash_init says so if it is used after all */
    }
    esp_err_t err = flash_file_open(path, FLASH_FILE_IN_PLACE);
    if (err != ESP_OK) {
        fprintf(stderr, "cannot open the flash image %s: %s\n", path, esp_err_to_name(err));
        exit(2);
    }
}

int main(void)
{
    host_uptime_us(); /* time begins */
    host_env();
    set_up_signals();
    open_flash();
    if (host_env()->control_fd >= 0) {
        host_control_start(host_env()->control_fd);
    }
    const esp_app_desc_t *app = esp_app_get_description();
    ESP_LOGI(TAG, "%s %s, ESP-IDF %s", app->project_name, app->version, app->idf_ver);
    uint32_t stack_bytes = CONFIG_ESP_MAIN_TASK_STACK_SIZE + HOST_TASK_EXTRA_STACK;
    if (xTaskCreate(main_task, "main", stack_bytes, NULL, 1, NULL) != pdPASS) {
        abort();
    }
    for (;;) {
        pause();
    }
}
