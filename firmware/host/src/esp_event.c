/*
 * The default event loop. As in ESP-IDF, one recursive lock is held while handlers run: a handler
 * may register and unregister, another task waits for the running one, so once "unregister" has
 * returned the handler is gone.
 */
#include "esp_event.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "host_stack.h"

#define QUEUE_LENGTH 32 /* CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE */
#ifndef CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE
#define CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE 2304
#endif
#define TASK_STACK (CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE + HOST_TASK_EXTRA_STACK)
#define TASK_PRIORITY 20

static const char *TAG = "event";

typedef struct {
    esp_event_base_t base;
    int32_t id;
    void *data;
} event_t;

typedef struct registration {
    struct registration *next;
    esp_event_base_t base; /* the pointer tells which, whatever its text; NULL: any */
    int32_t id;            /* ESP_EVENT_ANY_ID: any */
    esp_event_handler_t handler;
    void *arg;
    bool is_removed; /* freed when no dispatch is under way */
} registration_t;

static pthread_mutex_t s_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static registration_t *s_registrations;
static unsigned s_dispatch_depth;
static _Atomic(QueueHandle_t) s_queue; /* posting must not wait for a running handler */
static _Atomic(TaskHandle_t) s_task;

/* With s_lock held. */
static void free_removed(void)
{
    registration_t **link = &s_registrations;
    while (*link != NULL) {
        registration_t *item = *link;
        if (item->is_removed) {
            *link = item->next;
            free(item);
        } else {
            link = &item->next;
        }
    }
}

/* ESP-IDF calls loop-wide handlers first, then those of the base, then those of the event. */
static int rank(const registration_t *item)
{
    return item->base == NULL ? 0 : item->id == ESP_EVENT_ANY_ID ? 1 : 2;
}

static bool does_match(const registration_t *item, const event_t *event)
{
    return !item->is_removed && (item->base == NULL || item->base == event->base) &&
           (item->id == ESP_EVENT_ANY_ID || item->id == event->id);
}

static void dispatch(const event_t *event)
{
    pthread_mutex_lock(&s_lock);
    s_dispatch_depth++;
    for (int pass = 0; pass < 3; pass++) {
        for (registration_t *item = s_registrations; item != NULL; item = item->next) {
            if (rank(item) == pass && does_match(item, event)) {
                item->handler(item->arg, event->base, event->id, event->data);
            }
        }
    }
    if (--s_dispatch_depth == 0) {
        free_removed();
    }
    pthread_mutex_unlock(&s_lock);
}

static void run_loop(void *queue)
{
    atomic_store(&s_task, xTaskGetCurrentTaskHandle());
    for (;;) {
        event_t event;
        if (xQueueReceive(queue, &event, portMAX_DELAY) == pdTRUE) {
            dispatch(&event);
            free(event.data);
        }
    }
}

esp_err_t esp_event_loop_create_default(void)
{
    esp_err_t err = ESP_ERR_INVALID_STATE;
    pthread_mutex_lock(&s_lock);
    if (atomic_load(&s_queue) == NULL) {
        QueueHandle_t queue = xQueueCreate(QUEUE_LENGTH, sizeof(event_t));
        bool is_running = queue != NULL && xTaskCreate(run_loop, "sys_evt", TASK_STACK, queue,
                                                       TASK_PRIORITY, NULL) == pdPASS;
        err = is_running ? ESP_OK : ESP_ERR_NO_MEM;
        atomic_store(&s_queue, queue);
    }
    pthread_mutex_unlock(&s_lock);
    return err;
}

/** Of a base and an event; NULL without one. With s_lock held. */
static registration_t *find(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                            const registration_t *instance)
{
    registration_t *item = s_registrations;
    while (item != NULL && (item->is_removed || item->base != base || item->id != id ||
                            (instance != NULL ? item != instance : item->handler != handler))) {
        item = item->next;
    }
    return item;
}

static esp_err_t check(esp_event_base_t base, int32_t id)
{
    if (atomic_load(&s_queue) == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    return base == ESP_EVENT_ANY_BASE && id != ESP_EVENT_ANY_ID ? ESP_ERR_INVALID_ARG : ESP_OK;
}

static esp_err_t append(registration_t wanted, esp_event_handler_instance_t *instance)
{
    registration_t *item = malloc(sizeof *item);
    if (item == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *item = wanted;
    registration_t **link = &s_registrations;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = item;
    if (instance != NULL) {
        *instance = item;
    }
    return ESP_OK;
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t event_base, int32_t event_id,
                                              esp_event_handler_t event_handler,
                                              void *event_handler_arg,
                                              esp_event_handler_instance_t *instance)
{
    esp_err_t err = event_handler != NULL ? check(event_base, event_id) : ESP_ERR_INVALID_ARG;
    if (err == ESP_OK) {
        pthread_mutex_lock(&s_lock);
        err = append((registration_t){.base = event_base, .id = event_id, .handler = event_handler, .arg = event_handler_arg},
                     instance);
        pthread_mutex_unlock(&s_lock);
    }
    return err;
}

/* The same handler again is no second one: it has another argument from then on. */
esp_err_t esp_event_handler_register(esp_event_base_t event_base, int32_t event_id,
                                     esp_event_handler_t event_handler, void *event_handler_arg)
{
    pthread_mutex_lock(&s_lock);
    registration_t *known = find(event_base, event_id, event_handler, NULL);
    esp_err_t err = ESP_OK;
    if (known != NULL) {
        known->arg = event_handler_arg;
    } else {
        err = esp_event_handler_instance_register(event_base, event_id, event_handler, event_handler_arg, NULL);
    }
    pthread_mutex_unlock(&s_lock);
    return err;
}

/* Remove one registration: `instance` itself, or else the first with this handler. */
static esp_err_t unregister(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                            const registration_t *instance)
{
    esp_err_t err = check(base, id);
    if (err != ESP_OK) {
        return err;
    }
    pthread_mutex_lock(&s_lock);
    registration_t *item = find(base, id, handler, instance);
    if (item != NULL) {
        item->is_removed = true;
    }
    if (s_dispatch_depth == 0) {
        free_removed();
    }
    pthread_mutex_unlock(&s_lock);
    return item != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_event_handler_instance_unregister(esp_event_base_t event_base, int32_t event_id,
                                                esp_event_handler_instance_t instance)
{
    if (instance == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return unregister(event_base, event_id, NULL, instance);
}

esp_err_t esp_event_handler_unregister(esp_event_base_t event_base, int32_t event_id,
                                       esp_event_handler_t event_handler)
{
    if (event_handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return unregister(event_base, event_id, event_handler, NULL);
}

esp_err_t esp_event_post(esp_event_base_t event_base, int32_t event_id, const void *event_data,
                         size_t event_data_size, TickType_t ticks_to_wait)
{
    if (event_base == ESP_EVENT_ANY_BASE || event_id == ESP_EVENT_ANY_ID) {
        return ESP_ERR_INVALID_ARG;
    }
    QueueHandle_t queue = atomic_load(&s_queue);
    if (queue == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    event_t event = {.base = event_base, .id = event_id};
    if (event_data != NULL && event_data_size > 0) {
        event.data = malloc(event_data_size);
        if (event.data == NULL) {
            return ESP_ERR_NO_MEM;
        }
        memcpy(event.data, event_data, event_data_size);
    }
    /* A handler would wait for itself to make room. */
    bool is_own = xTaskGetCurrentTaskHandle() == atomic_load(&s_task);
    if (xQueueSend(queue, &event, is_own ? 0 : ticks_to_wait) != pdTRUE) {
        ESP_LOGW(TAG, "the event queue is full: %s %" PRId32 " is lost", event_base, event_id);
        free(event.data);
        return ESP_ERR_TIMEOUT;
    }
    return ESP_OK;
}
