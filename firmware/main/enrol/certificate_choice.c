#include "certificate_choice.h"

#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "secret_wipe.h"

static const char *TAG = "jobs";

/* Memory that lacks is back when another task's TLS session ends; to go on without would be to lose a good certificate. */
#define PATIENCE_TRIES 20
#define PATIENCE_MS 500

static certificate_verdict_t s_problem;

/** Counts in `tries`; false when the time is up. */
static bool wait_for_memory(int *tries)
{
    if (++*tries >= PATIENCE_TRIES) {
        return false;
    }
    ESP_LOGW(TAG, "no memory to look at a certificate");
    vTaskDelay(pdMS_TO_TICKS(PATIENCE_MS));
    return true;
}

static esp_err_t load_certificate(certificate_slot_t slot, certificate_t *certificate)
{
    esp_err_t err;
    int tries = 0;
    do {
        err = device_store_load_certificate(slot, certificate);
    } while (err == ESP_ERR_NO_MEM && wait_for_memory(&tries));
    return err;
}

certificate_verdict_t certificate_choice_judge(const certificate_t *certificate)
{
    const certificate_claim_t claim = {
        .certificate = certificate,
        .key_pem = device_identity_key_pem(),
        .device_id = device_identity_id(),
        .now = device_clock_now(),
    };
    certificate_verdict_t verdict;
    int tries = 0;
    do {
        verdict = certificate_check(&claim);
    } while (verdict == CERTIFICATE_NO_MEMORY && wait_for_memory(&tries));
    return verdict;
}

static bool is_usable(certificate_slot_t slot)
{
    certificate_t certificate;
    if (load_certificate(slot, &certificate) != ESP_OK) {
        return false;
    }
    certificate_verdict_t verdict = certificate_choice_judge(&certificate);
    certificate_free(&certificate);
    if (verdict != CERTIFICATE_OK) {
        ESP_LOGW(TAG, "the stored certificate %s", certificate_verdict_text(verdict));
        s_problem = verdict;
    }
    return verdict == CERTIFICATE_OK;
}

static bool has_token(void)
{
    char *token;
    int tries = 0;
    while (!device_store_load_secret(true, &token) && wait_for_memory(&tries)) {
    }
    bool found = token != NULL;
    secret_free_text(token);
    return found;
}

/*
 * A new certificate answers the token beside it. Without one, an unspent token asks for a new
 * certificate even when an old one works: that is what re-provisioning with a token means.
 */
prov_event_id_t certificate_choice_check(void)
{
    s_problem = CERTIFICATE_OK;
    bool ready = is_usable(CERTIFICATE_SLOT_NEW);
    bool is_bad = s_problem != CERTIFICATE_OK && s_problem != CERTIFICATE_NO_MEMORY;
    if (!ready && is_bad && s_problem != CERTIFICATE_NOT_YET_VALID) {
        device_store_drop_certificate(CERTIFICATE_SLOT_NEW);
    }
    if (!ready && !has_token()) {
        ready = is_usable(CERTIFICATE_SLOT_ACTIVE);
    }
    if (!ready && s_problem == CERTIFICATE_NOT_YET_VALID) {
        /* It was valid when it was stored, so the fault is the clock's: a restored time can be old. */
        device_clock_distrust();
        return PROV_EVENT_CLOCK_FAILED;
    }
    return ready ? PROV_EVENT_CERT_READY : PROV_EVENT_CERT_NEEDED;
}

/** Loads a certificate that has not expired; the caller frees it. Says when it is valid. */
static bool load_current(certificate_slot_t slot, certificate_t *certificate, certificate_in_use_t *in_use)
{
    if (load_certificate(slot, certificate) != ESP_OK) {
        return false;
    }
    certificate_verdict_t verdict;
    int tries = 0;
    do {
        verdict = certificate_validity(certificate, &in_use->not_before, &in_use->not_after);
    } while (verdict == CERTIFICATE_NO_MEMORY && wait_for_memory(&tries));
    if (verdict == CERTIFICATE_OK && in_use->not_after >= device_clock_now()) {
        return true;
    }
    s_problem = verdict == CERTIFICATE_OK ? CERTIFICATE_EXPIRED : verdict;
    certificate_free(certificate);
    return false;
}

bool certificate_choice_take(bool prefers_old, certificate_t *certificate, certificate_in_use_t *in_use)
{
    certificate_t active;
    certificate_in_use_t of_active = {0};
    bool has_active = load_current(CERTIFICATE_SLOT_ACTIVE, &active, &of_active);
    *in_use = (certificate_in_use_t){.is_new = true, .has_fallback = has_active};
    if (!(prefers_old && has_active) && load_current(CERTIFICATE_SLOT_NEW, certificate, in_use)) {
        if (has_active) {
            certificate_free(&active);
        }
        return true;
    }
    *in_use = of_active;
    *certificate = active;
    return has_active;
}

certificate_verdict_t certificate_choice_problem(void)
{
    return s_problem;
}
