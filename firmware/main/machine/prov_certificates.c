#include "prov_certificates.h"

#include "device_clock.h"
#include "device_store.h"
#include "esp_log.h"
#include "esp_random.h"
#include "net_jobs.h"
#include "renewal.h"

/* One signature for every action; most need no message. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define DAY_MS (24u * 60 * 60 * 1000)
/* A CA whose certificates arrive in their last third already must not be asked without a pause. */
#define RENEWAL_PAUSE_MAX_S 3600

static const char *TAG = "prov";

/** What the backend has signed; takes over `msg->certificate`. */
bool prov_do_store_certificate(prov_context_t *c, const prov_msg_t *msg)
{
    certificate_t certificate = msg->certificate;
    esp_err_t err = device_store_save_certificate(&certificate);
    certificate_free(&certificate);
    device_clock_confirm(true);
    c->backend_backoff = (backoff_t){0};
    c->broker_failures = 0;
    c->denials = 0;
    c->report_due = true;
    c->enrolled = true;
    c->tries_old = false;
    c->ap_offered = false;
    return err == ESP_OK;
}

/** A new one becomes the active one, or goes when it has failed beside that. */
bool prov_do_prove_certificate(prov_context_t *c, const prov_msg_t *msg)
{
    if (c->tries_old && !c->in_use.is_new) {
        ESP_LOGW(TAG, "back to the certificate before");
        device_store_drop_certificate(CERTIFICATE_SLOT_NEW);
    } else if (device_store_promote_certificate() != ESP_OK) {
        ESP_LOGW(TAG, "the new certificate works but stays in its slot");
    }
    device_clock_confirm(false);
    c->enrolled = false;
    c->tries_old = false;
    c->ap_offered = false;
    c->denials = 0;
    c->broker_failures = 0;
    prov_timer_stop(&c->timers, PROV_TIMER_RETRY);
    return true;
}

void prov_certificates_watch(prov_context_t *c, int64_t delay_ms)
{
    int64_t left_ms = (c->in_use.not_after - device_clock_now() + 1) * 1000;
    delay_ms = delay_ms < left_ms ? delay_ms : left_ms;
    delay_ms = delay_ms > 0 ? delay_ms : 0;
    prov_timer_start(&c->timers, PROV_TIMER_RENEW, device_clock_uptime_ms(),
                     delay_ms < DAY_MS ? (uint32_t)delay_ms : DAY_MS);
}

void prov_certificates_plan_renewal(prov_context_t *c, const certificate_in_use_t *in_use)
{
    int64_t now = device_clock_now();
    c->in_use = *in_use;
    c->status.cert_not_after = in_use->not_after;
    c->renew_at = renewal_due_at(in_use->not_before, in_use->not_after, esp_random());
    if (c->renewed) {
        int64_t pause_s = (in_use->not_after - now) / 8;
        int64_t earliest = now + (pause_s < RENEWAL_PAUSE_MAX_S ? pause_s : RENEWAL_PAUSE_MAX_S);
        c->renew_at = c->renew_at > earliest ? c->renew_at : earliest;
    }
    prov_certificates_watch(c, (c->renew_at - now) * 1000);
}

bool prov_do_renew(prov_context_t *c, const prov_msg_t *msg)
{
    c->renewal_id = ++c->last_id;
    net_jobs_submit(NET_JOB_RENEW, c->renewal_id);
    prov_certificates_watch(c, PROV_JOB_WATCHDOG_MS);
    return true;
}

bool prov_do_renew_later(prov_context_t *c, const prov_msg_t *msg)
{
    prov_certificates_watch(c, renewal_retry_ms(device_clock_now(), c->in_use.not_after, esp_random()));
    return true;
}
