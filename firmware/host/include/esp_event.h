/* The default event loop: one sys_evt task, a queue of 32 events. */
#pragma once

#include "esp_err.h"
#include "esp_event_base.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

/** ESP_ERR_INVALID_STATE when it exists. */
esp_err_t esp_event_loop_create_default(void);

/** Handlers run in the sys_evt task. ESP_ERR_INVALID_STATE before the loop exists. */
esp_err_t esp_event_handler_register(esp_event_base_t event_base, int32_t event_id,
                                     esp_event_handler_t event_handler, void *event_handler_arg);
esp_err_t esp_event_handler_unregister(esp_event_base_t event_base, int32_t event_id,
                                       esp_event_handler_t event_handler);
esp_err_t esp_event_handler_instance_register(esp_event_base_t event_base, int32_t event_id,
                                              esp_event_handler_t event_handler,
                                              void *event_handler_arg,
                                              esp_event_handler_instance_t *instance);
/** Once this returns, the handler does not run and will not run again. */
esp_err_t esp_event_handler_instance_unregister(esp_event_base_t event_base, int32_t event_id,
                                                esp_event_handler_instance_t instance);

/** Copies the data. ESP_ERR_TIMEOUT when the queue stayed full, ESP_ERR_INVALID_STATE without a loop. */
esp_err_t esp_event_post(esp_event_base_t event_base, int32_t event_id, const void *event_data,
                         size_t event_data_size, TickType_t ticks_to_wait);
