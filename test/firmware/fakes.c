#include "fakes.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "button.h"
#include "captive_dns.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_random.h"
#include "esp_system.h"
#include "http_api.h"
#include "net_jobs.h"
#include "wifi_link.h"

#define CALLS_MAX 512

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t s_called = PTHREAD_COND_INITIALIZER;
static char s_calls[CALLS_MAX][64];
static int s_count;
static int s_seen;
static fake_store_t s_store;
static bool s_pressed;

static void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&s_lock);
    if (s_count < CALLS_MAX) {
        vsnprintf(s_calls[s_count++], sizeof s_calls[0], format, args);
    }
    pthread_cond_broadcast(&s_called);
    pthread_mutex_unlock(&s_lock);
    va_end(args);
}

static int find(const char *prefix)
{
    for (int i = s_seen; i < s_count; i++) {
        if (strncmp(s_calls[i], prefix, strlen(prefix)) == 0) {
            return i;
        }
    }
    return -1;
}

const char *fakes_wait(const char *prefix)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 10;
    pthread_mutex_lock(&s_lock);
    int found = find(prefix);
    int failed = 0;
    while (found < 0 && failed == 0) {
        failed = pthread_cond_timedwait(&s_called, &s_lock, &deadline);
        found = find(prefix);
    }
    s_seen = found >= 0 ? found + 1 : s_seen;
    pthread_mutex_unlock(&s_lock);
    return found >= 0 ? s_calls[found] : NULL;
}

bool fakes_saw(const char *prefix)
{
    pthread_mutex_lock(&s_lock);
    int found = find(prefix);
    pthread_mutex_unlock(&s_lock);
    return found >= 0;
}

void fakes_reset(void)
{
    pthread_mutex_lock(&s_lock);
    s_count = 0;
    s_seen = 0;
    pthread_mutex_unlock(&s_lock);
}

fake_store_t fakes_store(void)
{
    pthread_mutex_lock(&s_lock);
    fake_store_t copy = s_store;
    pthread_mutex_unlock(&s_lock);
    return copy;
}

void fakes_store_set(const fake_store_t *store)
{
    pthread_mutex_lock(&s_lock);
    s_store = *store;
    pthread_mutex_unlock(&s_lock);
}

void fakes_press_button(void)
{
    pthread_mutex_lock(&s_lock);
    s_pressed = true;
    pthread_mutex_unlock(&s_lock);
}

/* wifi_link.h, http_api.h, captive_dns.h, net_jobs.h, button.h, and what they need of ESP-IDF */

esp_err_t wifi_link_ap_start(void)
{
    note("ap_start");
    return ESP_OK;
}

esp_err_t wifi_link_ap_stop(void)
{
    note("ap_stop");
    return ESP_OK;
}

esp_err_t wifi_link_connect(const wifi_credentials_t *wifi)
{
    note("connect %s", wifi->ssid);
    return ESP_OK;
}

void wifi_link_disconnect(void)
{
    note("disconnect");
}

esp_err_t http_api_start(void)
{
    note("http_start");
    return ESP_OK;
}

void captive_dns_start(void)
{
    note("dns_start");
}

void captive_dns_stop(void)
{
    note("dns_stop");
}

void http_api_stop(void)
{
    note("http_stop");
}

bool net_jobs_submit(net_job_kind_t kind, uint32_t job_id)
{
    static const char *const NAMES[] = {"clock", "check", "csr", "mqtt_start", "mqtt_start_old",
                                        "mqtt_stop", "mqtt_leave", "status", "report", "renew"};
    note("%s %u", NAMES[kind], (unsigned)job_id);
    return true;
}

void net_jobs_wait_left(uint32_t timeout_ms)
{
    (void)timeout_ms;
    note("wait_left");
}

bool button_poll(int64_t now_ms)
{
    (void)now_ms;
    pthread_mutex_lock(&s_lock);
    bool pressed = s_pressed;
    s_pressed = false;
    pthread_mutex_unlock(&s_lock);
    return pressed;
}

uint32_t esp_random(void)
{
    return 7;
}

void esp_restart(void)
{
    note("restart");
    for (;;) {
        nanosleep(&(struct timespec){.tv_sec = 3600}, NULL);
    }
}

int64_t device_clock_uptime_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void device_clock_save(void)
{
    note("save_clock");
}

void device_clock_confirm(bool is_certificate_new)
{
    note(is_certificate_new ? "confirm_new_clock" : "confirm_clock");
}

int64_t device_clock_now(void)
{
    return 1750000000;
}

/* device_store.h */

static esp_err_t write_result(const fake_store_t *store)
{
    return store->broken ? ESP_FAIL : ESP_OK;
}

esp_err_t device_store_load_pending(provisioning_t *pending, uint32_t *revision)
{
    fake_store_t store = fakes_store();
    *revision = store.pending_revision;
    *pending = store.pending;
    return store.has_pending ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_drop_pending(uint32_t revision)
{
    fake_store_t store = fakes_store();
    store.has_pending = store.has_pending && revision != store.pending_revision;
    fakes_store_set(&store);
    note("drop_pending");
    return ESP_OK;
}

esp_err_t device_store_commit_pending(uint32_t revision)
{
    fake_store_t store = fakes_store();
    if (store.has_pending && !store.broken && revision == store.pending_revision) {
        store.wifi = store.pending.wifi;
        store.has_wifi = true;
        store.has_pending = false;
        fakes_store_set(&store);
    }
    note("commit_pending");
    return write_result(&store);
}

esp_err_t device_store_load_wifi(wifi_credentials_t *wifi)
{
    fake_store_t store = fakes_store();
    *wifi = store.wifi;
    return store.has_wifi ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_load_enrolment(enrolment_t *enrol)
{
    memset(enrol, 0, sizeof *enrol);
    return ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_spend_token(void)
{
    note("spend_token");
    return ESP_OK;
}

esp_err_t device_store_save_certificate(const certificate_t *certificate)
{
    fake_store_t store = fakes_store();
    store.has_certificate = certificate->record != NULL && !store.broken;
    fakes_store_set(&store);
    note("save_certificate");
    return write_result(&store);
}

esp_err_t device_store_promote_certificate(void)
{
    fake_store_t store = fakes_store();
    store.has_worked = true;
    fakes_store_set(&store);
    note("promote");
    return ESP_OK;
}

esp_err_t device_store_drop_certificate(certificate_slot_t slot)
{
    note(slot == CERTIFICATE_SLOT_NEW ? "drop_new" : "drop_active");
    return ESP_OK;
}

const char *device_identity_id(void)
{
    return "fake";
}

bool device_store_has_certificate(void)
{
    return fakes_store().has_certificate;
}

bool device_store_has_worked(void)
{
    return fakes_store().has_worked;
}

esp_err_t device_store_erase(bool wifi_only)
{
    note(wifi_only ? "erase wifi" : "erase all");
    return ESP_OK;
}
