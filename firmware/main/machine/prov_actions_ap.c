/* The actions that open and close the AP, and say when. */
#include "captive_dns.h"
#include "device_store.h"
#include "esp_log.h"
#include "http_api.h"
#include "prov_actions.h"
#include "sdkconfig.h"
#include "wifi_link.h"

/* One signature for every action; most need no message. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define AP_RETRY_MS 5000
#define AP_STOP_GRACE_MS 500 /* for the last answer to leave */

static const char *TAG = "prov";

bool prov_do_ap_start(prov_context_t *c, const prov_msg_t *msg)
{
    prov_timer_stop(&c->timers, PROV_TIMER_LINGER);
    prov_timer_stop(&c->timers, PROV_TIMER_AP_STOP);
    if (CONFIG_PROV_AP_WINDOW_S > 0) {
        prov_start_timer(c, PROV_TIMER_WINDOW, CONFIG_PROV_AP_WINDOW_S * 1000u);
    }
    if (c->ap_up) {
        return true;
    }
    /* The AP first: the server must be bound to its interface before it serves anybody. */
    if (wifi_link_ap_start() != ESP_OK || http_api_start() != ESP_OK) {
        (void)wifi_link_ap_stop();
        prov_start_timer(c, PROV_TIMER_AP_RETRY, AP_RETRY_MS);
        return true;
    }
    captive_dns_start();
    c->ap_up = true;
    return true;
}

/**
 * Once for the trouble that it is in. Whoever is on the way to backend or broker can make them fail, and must not
 * open the AP of a device that has been online by it: only a denial by a broker that has proved who it is does.
 */
bool prov_do_ap_offer(prov_context_t *c, const prov_msg_t *msg)
{
    bool is_denied = msg->kind == PROV_MSG_BROKER_FAILED && msg->is_denied;
    if (!c->ap_offered && (is_denied || !device_store_has_worked())) {
        c->ap_offered = true;
        prov_do_ap_start(c, msg);
    }
    return true;
}

bool prov_do_ap_linger(prov_context_t *c, const prov_msg_t *msg)
{
    if (c->ap_up) {
        prov_start_timer(c, PROV_TIMER_LINGER, CONFIG_PROV_AP_LINGER_MS);
    }
    return true;
}

/** Whoever asks again and again must not keep it open by that. */
bool prov_do_ap_stop(prov_context_t *c, const prov_msg_t *msg)
{
    if (c->ap_up && c->timers.due_ms[PROV_TIMER_AP_STOP] == 0) {
        prov_start_timer(c, PROV_TIMER_AP_STOP, AP_STOP_GRACE_MS);
    }
    return true;
}

void prov_actions_ap_close(prov_context_t *c)
{
    prov_timer_stop(&c->timers, PROV_TIMER_LINGER);
    prov_timer_stop(&c->timers, PROV_TIMER_AP_RETRY);
    prov_timer_stop(&c->timers, PROV_TIMER_WINDOW);
    if (c->ap_up) {
        captive_dns_stop();
        http_api_stop();
        if (wifi_link_ap_stop() == ESP_OK) {
            ESP_LOGI(TAG, "the AP is closed");
        }
        c->ap_up = false;
    }
}

/** In AP_MODE, only a device that has been online has anything to go back to. */
bool prov_do_offline_begin(prov_context_t *c, const prov_msg_t *msg)
{
    bool may_come_back = c->status.state != PROV_STATE_AP_MODE ||
                         (device_store_has_certificate() && device_store_load_wifi(&c->wifi) == ESP_OK);
    if (CONFIG_PROV_FALLBACK_AP_S > 0 && c->timers.due_ms[PROV_TIMER_OFFLINE] == 0 && may_come_back) {
        prov_start_timer(c, PROV_TIMER_OFFLINE, CONFIG_PROV_FALLBACK_AP_S * 1000u);
    }
    return true;
}
