/* Restart, reset reason, heap figures. */
#include "esp_system.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "esp_heap_caps.h"
#include "host_env.h"
#include "host_heap.h"
#include "host_shutdown.h"

#define MAX_SHUTDOWN_HANDLERS 5

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static shutdown_handler_t s_handlers[MAX_SHUTDOWN_HANDLERS];

esp_err_t esp_register_shutdown_handler(shutdown_handler_t handle)
{
    esp_err_t err = ESP_ERR_NO_MEM;
    pthread_mutex_lock(&s_lock);
    for (int i = 0; i < MAX_SHUTDOWN_HANDLERS; i++) {
        if (s_handlers[i] == handle) {
            err = ESP_ERR_INVALID_STATE;
            break;
        }
        if (s_handlers[i] == NULL) {
            s_handlers[i] = handle;
            err = ESP_OK;
            break;
        }
    }
    pthread_mutex_unlock(&s_lock);
    return err;
}

void esp_restart(void)
{
    for (int i = MAX_SHUTDOWN_HANDLERS - 1; i >= 0; i--) {
        if (s_handlers[i] != NULL) {
            s_handlers[i]();
        }
    }
    host_shutdown(HOST_EXIT_RESTART);
}

esp_reset_reason_t esp_reset_reason(void)
{
    return host_env()->reset_reason;
}

uint32_t esp_get_free_heap_size(void)
{
    return host_heap_free();
}

uint32_t esp_get_minimum_free_heap_size(void)
{
    return host_heap_least_free();
}

size_t heap_caps_get_allocated_size(void *block)
{
    return malloc_usable_size(block);
}
