#include "prov_status.h"

#include <stdio.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

static SemaphoreHandle_t s_lock;
static prov_status_t s_status;   /* what readers see */
static prov_status_t s_reported; /* what the state machine's task last said */
static bool s_claimed;

esp_err_t prov_status_init(void)
{
    s_lock = xSemaphoreCreateMutex();
    return s_lock != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}

void prov_status_get(prov_status_t *out)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
    *out = s_status;
    xSemaphoreGive(s_lock);
}

void prov_status_set(const prov_status_t *status, bool release_claim)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
    s_reported = *status;
    /* Until the state machine has heard of an accepted attempt, its own view is out of date. */
    if (!s_claimed || release_claim) {
        s_status = *status;
    }
    s_claimed = s_claimed && !release_claim;
    xSemaphoreGive(s_lock);
}

/**
 * Between the first step and success, unless it got stuck, an attempt must not be disturbed. The AP
 * serves its first clients a moment before AP_MODE is published; there is no attempt then.
 */
static bool is_working(const prov_status_t *status)
{
    return prov_state_is_working(status->state) && status->failure == PROV_FAILURE_NONE;
}

prov_claim_t prov_status_claim(const char *attempt_id)
{
    prov_claim_t claim = PROV_CLAIM_OK;
    xSemaphoreTake(s_lock, portMAX_DELAY);
    bool same = attempt_id[0] != '\0' && strcmp(attempt_id, s_status.attempt_id) == 0;
    bool alive = is_working(&s_status) || s_status.state == PROV_STATE_MQTT_CONNECTED;
    if (same && alive) {
        claim = PROV_CLAIM_REPEAT;
    } else if (s_claimed || is_working(&s_status)) {
        claim = PROV_CLAIM_BUSY;
    } else {
        s_claimed = true;
    }
    xSemaphoreGive(s_lock);
    return claim;
}

void prov_status_unclaim(void)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
    s_claimed = false;
    s_status = s_reported;
    xSemaphoreGive(s_lock);
}

void prov_status_accepted(const char *attempt_id)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
    s_status.state = PROV_STATE_WIFI_CONNECTING;
    s_status.failure = PROV_FAILURE_NONE;
    s_status.detail[0] = '\0';
    s_status.was_connected = false;
    snprintf(s_status.attempt_id, sizeof s_status.attempt_id, "%s", attempt_id);
    xSemaphoreGive(s_lock);
}
