#include "fakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "button.h"
#include "captive_dns.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "http_api.h"
#include "net_jobs.h"
#include "wifi_link.h"

#define CALLS_MAX 1024

static fake_call_t s_calls[CALLS_MAX];
static int s_count;
static int s_seen;
static fake_store_t s_store;
static bool s_pressed;

void fakes_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (s_count < CALLS_MAX) {
        fake_call_t *call = &s_calls[s_count++];
        vsnprintf(call->text, sizeof call->text, format, args);
        prov_status_get(&call->status);
    }
    va_end(args);
}

static int find(const char *prefix)
{
    for (int i = s_seen; i < s_count; i++) {
        if (strncmp(s_calls[i].text, prefix, strlen(prefix)) == 0) {
            return i;
        }
    }
    return -1;
}

const fake_call_t *fakes_take(const char *prefix)
{
    int found = find(prefix);
    s_seen = found >= 0 ? found + 1 : s_seen;
    return found >= 0 ? &s_calls[found] : NULL;
}

const fake_call_t *fakes_peek(int index)
{
    return s_seen + index < s_count ? &s_calls[s_seen + index] : NULL;
}

bool fakes_saw(const char *prefix)
{
    return find(prefix) >= 0;
}

void fakes_reset(void)
{
    s_count = 0;
    s_seen = 0;
}

fake_store_t *fakes_store(void)
{
    return &s_store;
}

void fakes_press_button(void)
{
    s_pressed = true;
}

/* wifi_link.h, http_api.h, captive_dns.h, net_jobs.h, button.h, device_clock.h */

esp_err_t wifi_link_ap_start(void)
{
    fakes_note("ap_start");
    return ESP_OK;
}

esp_err_t wifi_link_ap_stop(void)
{
    fakes_note("ap_stop");
    return ESP_OK;
}

esp_err_t wifi_link_connect(const wifi_credentials_t *wifi)
{
    fakes_note("connect %s", wifi->ssid);
    return ESP_OK;
}

void wifi_link_disconnect(void)
{
    fakes_note("disconnect");
}

esp_err_t http_api_start(void)
{
    fakes_note("http_start");
    return ESP_OK;
}

void captive_dns_start(void)
{
    fakes_note("dns_start");
}

void captive_dns_stop(void)
{
    fakes_note("dns_stop");
}

void http_api_stop(void)
{
    fakes_note("http_stop");
}

bool net_jobs_submit(net_job_kind_t kind, uint32_t job_id)
{
    static const char *const NAMES[] = {"clock", "check", "csr", "mqtt_start", "mqtt_start_old",
                                        "mqtt_stop", "mqtt_leave", "status", "report", "renew"};
    fakes_note("%s %u", NAMES[kind], (unsigned)job_id);
    return true;
}

void net_jobs_wait_left(uint32_t timeout_ms)
{
    (void)timeout_ms;
    fakes_note("wait_left");
}

bool button_poll(int64_t now_ms)
{
    (void)now_ms;
    bool pressed = s_pressed;
    s_pressed = false;
    return pressed;
}

void device_clock_save(void)
{
    fakes_note("save_clock");
}

void device_clock_confirm(bool is_certificate_new)
{
    fakes_note(is_certificate_new ? "confirm_new_clock" : "confirm_clock");
}

/* device_store.h */

static esp_err_t write_result(void)
{
    return s_store.broken ? ESP_FAIL : ESP_OK;
}

esp_err_t device_store_load_pending(provisioning_t *pending, uint32_t *revision)
{
    *revision = s_store.pending_revision;
    *pending = s_store.pending;
    return s_store.unreadable ? ESP_FAIL : s_store.has_pending ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_drop_pending(uint32_t revision)
{
    s_store.has_pending = s_store.has_pending && revision != s_store.pending_revision;
    fakes_note("drop_pending");
    return ESP_OK;
}

esp_err_t device_store_commit_pending(uint32_t revision)
{
    if (s_store.has_pending && !s_store.broken && revision == s_store.pending_revision) {
        s_store.wifi = s_store.pending.wifi;
        s_store.has_wifi = true;
        s_store.has_pending = false;
        }
    fakes_note("commit_pending");
    return write_result();
}

esp_err_t device_store_load_wifi(wifi_credentials_t *wifi)
{
    *wifi = s_store.wifi;
    return s_store.has_wifi ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_load_enrolment(enrolment_t *enrol)
{
    memset(enrol, 0, sizeof *enrol);
    return ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_spend_token(void)
{
    fakes_note("spend_token");
    return ESP_OK;
}

esp_err_t device_store_save_certificate(const certificate_t *certificate)
{
    s_store.has_certificate = certificate->record != NULL && !s_store.broken;
    fakes_note("save_certificate");
    return write_result();
}

esp_err_t device_store_promote_certificate(void)
{
    s_store.has_worked = true;
    fakes_note("promote");
    return ESP_OK;
}

esp_err_t device_store_drop_certificate(certificate_slot_t slot)
{
    fakes_note(slot == CERTIFICATE_SLOT_NEW ? "drop_new" : "drop_active");
    return ESP_OK;
}

const char *device_identity_id(void)
{
    return "fake";
}

bool device_store_has_certificate(void)
{
    return s_store.has_certificate;
}

bool device_store_has_worked(void)
{
    return s_store.has_worked;
}

esp_err_t device_store_erase(bool wifi_only)
{
    fakes_note(wifi_only ? "erase wifi" : "erase all");
    return ESP_OK;
}
