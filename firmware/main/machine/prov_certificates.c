#include "prov_certificates.h"

#include "device_clock.h"
#include "device_store.h"
#include "esp_log.h"
#include "esp_random.h"
#include "net_jobs.h"

/* One signature for every action; most need no message. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static const char *TAG = "prov";

/** What the backend has signed; takes over `msg->certificate`. */
bool prov_do_store_certificate(prov_context_t *c, const prov_msg_t *msg)
{
    certificate_t certificate = msg->certificate;
    esp_err_t err = device_store_save_certificate(&certificate);
    certificate_free(&certificate);
    device_clock_confirm(true);
    c->backend_backoff = (backoff_t){0};
    c->trial = (broker_trial_t){.is_enrolled = true};
    c->report_due = true;
    c->ap_offered = false;
    return err == ESP_OK;
}

/** A new one becomes the active one, or goes when it has failed beside that. */
bool prov_do_prove_certificate(prov_context_t *c, const prov_msg_t *msg)
{
    if (c->trial.tries_old && !c->trial.is_new) {
        ESP_LOGW(TAG, "back to the certificate before");
        device_store_drop_certificate(CERTIFICATE_SLOT_NEW);
    } else if (device_store_promote_certificate() != ESP_OK) {
        ESP_LOGW(TAG, "the new certificate works but stays in its slot");
    }
    device_clock_confirm(false);
    c->trial = (broker_trial_t){0};
    c->ap_offered = false;
    prov_timer_stop(&c->timers, PROV_TIMER_RETRY);
    return true;
}

void prov_certificates_watch(prov_context_t *c, int64_t delay_ms)
{
    prov_start_timer(c, PROV_TIMER_RENEW, renewal_wait_ms(&c->renewal, device_clock_now(), delay_ms));
}

void prov_certificates_in_use(prov_context_t *c, const certificate_in_use_t *in_use)
{
    int64_t now = device_clock_now();
    c->trial.is_new = in_use->is_new;
    c->trial.has_other = in_use->is_new && in_use->has_fallback;
    c->status.cert_not_after = in_use->not_after;
    renewal_plan(&c->renewal, in_use->not_before, in_use->not_after, now, esp_random());
    prov_certificates_watch(c, (c->renewal.due_at - now) * 1000);
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
    prov_certificates_watch(c, renewal_retry_ms(device_clock_now(), c->renewal.not_after, esp_random()));
    return true;
}
