/* The actions that have to do with WiFi credentials and their network. */
#include <stdlib.h>
#include <string.h>

#include "device_identity.h"
#include "device_store.h"
#include "esp_log.h"
#include "prov_actions.h"
#include "prov_mailbox.h"
#include "sdkconfig.h"
#include "secret_wipe.h"
#include "wifi_link.h"

/* One signature for every action; most need no message. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#ifdef CONFIG_PROV_WIFI_ALLOW_OPEN
#define OPEN_IS_ALLOWED true
#else
#define OPEN_IS_ALLOWED false
#endif

static const char *TAG = "prov";

/** Takes over the newest credentials: the ones of a POST that has not proved itself come first. */
static prov_event_id_t load(prov_context_t *c)
{
    provisioning_t *pending = calloc(1, sizeof *pending);
    esp_err_t err = pending != NULL ? device_store_load_pending(pending, &c->pending_revision) : ESP_ERR_NO_MEM;
    prov_event_id_t found = PROV_EVENT_FOUND_PENDING;
    c->pending = err == ESP_OK;
    if (c->pending) {
        c->wifi = pending->wifi;
        memcpy(c->status.attempt_id, pending->enrol.attempt_id, sizeof c->status.attempt_id);
    } else if (err == ESP_ERR_NOT_FOUND && pending != NULL) {
        err = device_store_load_wifi(&c->wifi);
        found = err == ESP_OK ? PROV_EVENT_FOUND_PROVEN : PROV_EVENT_UNPROVISIONED;
        if (device_store_load_enrolment(&pending->enrol) == ESP_OK) {
            memcpy(c->status.attempt_id, pending->enrol.attempt_id, sizeof c->status.attempt_id);
        }
    }
    secret_free(pending, sizeof *pending);
    return err == ESP_OK || err == ESP_ERR_NOT_FOUND ? found : PROV_EVENT_STORAGE_FAILED;
}

bool prov_do_load_credentials(prov_context_t *c, const prov_msg_t *msg)
{
    prov_event_id_t found = load(c);
    prov_post(&(prov_msg_t){.event = found, .failure = PROV_FAILURE_STORAGE_FAILED});
    return true;
}

bool prov_do_drop_pending(prov_context_t *c, const prov_msg_t *msg)
{
    device_store_drop_pending(c->pending_revision);
    secret_wipe(&c->wifi, sizeof c->wifi);
    c->pending = false;
    return true;
}

/** A POST that was stored since has not been tried: what connected were the credentials before it. */
bool prov_do_commit_pending(prov_context_t *c, const prov_msg_t *msg)
{
    if (c->pending && device_store_commit_pending(c->pending_revision) != ESP_OK) {
        return false;
    }
    c->pending = false;
    memset(&c->judge, 0, sizeof c->judge);
    return true;
}

bool prov_do_connect_soon(prov_context_t *c, const prov_msg_t *msg)
{
    if (load(c) != PROV_EVENT_FOUND_PENDING) {
        return false;
    }
    prov_start_timer(c, PROV_TIMER_CONNECT, CONFIG_PROV_CONNECT_DELAY_MS);
    return true;
}

bool prov_do_connect(prov_context_t *c, const prov_msg_t *msg)
{
    c->attempt_running = true;
    ssid_digest(device_identity_id(), c->wifi.ssid, c->status.ssid_digest);
    ESP_LOGI(TAG, "joining the network %s", c->status.ssid_digest);
    if (c->wifi.password[0] == '\0' && !OPEN_IS_ALLOWED) {
        prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = WIFI_REASON_OPEN});
    } else if (wifi_link_connect(&c->wifi) == ESP_OK) {
        prov_start_timer(c, PROV_TIMER_LINK, CONFIG_PROV_WIFI_CONNECT_TIMEOUT_MS);
    } else {
        prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = WIFI_REASON_NOT_STARTED});
    }
    return true;
}

bool prov_do_wifi_stop(prov_context_t *c, const prov_msg_t *msg)
{
    wifi_link_disconnect();
    c->status.ip = 0;
    c->status.wifi_connected = false;
    return true;
}
