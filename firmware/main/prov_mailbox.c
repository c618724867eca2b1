#include "prov_mailbox.h"

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"

#define QUEUE_LENGTH 24
#define POST_WAIT_MS 1000

static QueueHandle_t s_queue;

esp_err_t prov_mailbox_init(void)
{
    s_queue = xQueueCreate(QUEUE_LENGTH, sizeof(prov_msg_t));
    return s_queue != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}

bool prov_post(const prov_msg_t *msg)
{
    bool queued = xQueueSend(s_queue, msg, pdMS_TO_TICKS(POST_WAIT_MS)) == pdTRUE;
    if (!queued) {
        ESP_LOGE("prov", "an event was lost"); /* the watchdogs of the states repeat the step */
    }
    return queued;
}

bool prov_post_event(prov_event_id_t event)
{
    return prov_post(&(prov_msg_t){.event = event});
}

bool prov_mailbox_take(prov_msg_t *msg, uint32_t timeout_ms)
{
    return xQueueReceive(s_queue, msg, pdMS_TO_TICKS(timeout_ms)) == pdTRUE;
}

void prov_msg_release(const prov_msg_t *msg)
{
    bool enrolled = msg->kind == PROV_MSG_EVENT && msg->event == PROV_EVENT_ENROLLED;
    if (enrolled || msg->kind == PROV_MSG_RENEWED) {
        certificate_t certificate = msg->certificate;
        certificate_free(&certificate);
    }
}
