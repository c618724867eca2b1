/* What the runner and the actions call: the radio, the network task and the storage. */
#include "runner_world.h"

#include "button.h"
#include "captive_dns.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_system.h"
#include "fuzz.h"
#include "http_api.h"
#include "stubs.h"
#include "wifi_link.h"

world_t g_world;
flash_t g_flash;
jmp_buf g_restart;

void esp_restart(void)
{
    longjmp(g_restart, 1);
}

int64_t device_clock_now(void)
{
    return NOW + g_uptime_ms / 1000;
}

void device_clock_save(void)
{
}

void device_clock_confirm(bool is_certificate_new)
{
    (void)is_certificate_new;
}

bool button_poll(int64_t now_ms)
{
    (void)now_ms;
    bool pressed = g_world.is_pressed;
    g_world.is_pressed = false;
    return pressed;
}

esp_err_t http_api_start(void)
{
    g_world.server_up = true;
    return ESP_OK;
}

void http_api_stop(void)
{
    g_world.server_up = false;
}

void captive_dns_start(void)
{
    g_world.names_up = true;
}

void captive_dns_stop(void)
{
    g_world.names_up = false;
}

esp_err_t wifi_link_ap_start(void)
{
    g_world.ap_up = !g_world.ap_fails;
    return g_world.ap_fails ? ESP_FAIL : ESP_OK;
}

esp_err_t wifi_link_ap_stop(void)
{
    g_world.ap_up = false;
    return ESP_OK;
}

esp_err_t wifi_link_connect(const wifi_credentials_t *wifi)
{
    MUST(wifi->ssid[0] != '\0');
    g_world.is_wanted = !g_world.radio_fails;
    return g_world.radio_fails ? ESP_FAIL : ESP_OK;
}

void wifi_link_disconnect(void)
{
    g_world.is_wanted = false;
}

bool net_jobs_submit(net_job_kind_t kind, uint32_t job_id)
{
    bool is_end = kind == NET_JOB_MQTT_STOP || kind == NET_JOB_MQTT_LEAVE;
    if (is_end) {
        g_world.mqtt_id = 0;
    }
    bool has_outcome = !is_end && kind != NET_JOB_PUBLISH_STATUS && kind != NET_JOB_REPORT;
    if (has_outcome && g_world.jobs_queued < JOBS_MAX) {
        g_world.jobs[g_world.jobs_queued].kind = kind;
        g_world.jobs[g_world.jobs_queued++].id = job_id;
    }
    return g_world.jobs_queued < JOBS_MAX;
}

void net_jobs_wait_left(uint32_t timeout_ms)
{
    (void)timeout_ms;
}

static esp_err_t write_result(void)
{
    return g_world.store_fails ? ESP_FAIL : ESP_OK;
}

static wifi_credentials_t network(bool is_open)
{
    wifi_credentials_t wifi = {.ssid = "n"};
    if (!is_open) {
        memcpy(wifi.password, "password", sizeof "password");
    }
    return wifi;
}

esp_err_t device_store_load_pending(provisioning_t *pending, uint32_t *revision)
{
    *revision = g_flash.revision;
    memset(pending, 0, sizeof *pending);
    if (g_flash.has_pending) {
        pending->wifi = network(g_flash.is_pending_open);
    }
    return g_flash.has_pending ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_drop_pending(uint32_t revision)
{
    g_flash.has_pending = g_flash.has_pending && (g_world.store_fails || revision != g_flash.revision);
    return write_result();
}

esp_err_t device_store_commit_pending(uint32_t revision)
{
    if (g_flash.has_pending && !g_world.store_fails && revision == g_flash.revision) {
        MUST(!g_flash.is_pending_open);
        g_flash.has_pending = false;
        g_flash.has_wifi = true;
        g_flash.has_token = true;
        g_flash.has_new = false;
    }
    return write_result();
}

esp_err_t device_store_load_wifi(wifi_credentials_t *wifi)
{
    memset(wifi, 0, sizeof *wifi);
    if (g_flash.has_wifi) {
        *wifi = network(false);
    }
    return g_flash.has_wifi ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_load_enrolment(enrolment_t *enrol)
{
    memset(enrol, 0, sizeof *enrol);
    return g_flash.has_wifi ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t device_store_spend_token(void)
{
    g_flash.has_token = g_flash.has_token && g_world.store_fails;
    return write_result();
}

esp_err_t device_store_save_certificate(const certificate_t *certificate)
{
    MUST(certificate->record != NULL);
    if (!g_world.store_fails) {
        g_flash.has_new = true;
        g_flash.has_token = false;
    }
    return write_result();
}

esp_err_t device_store_promote_certificate(void)
{
    MUST(g_world.mqtt_up);
    MUST(!g_flash.has_new || g_world.mqtt_is_new); /* nothing else has proved it */
    if (g_flash.has_new && !g_world.store_fails) {
        g_flash.has_active = true;
        g_flash.has_new = false;
    }
    return write_result();
}

esp_err_t device_store_drop_certificate(certificate_slot_t slot)
{
    if (slot == CERTIFICATE_SLOT_NEW) {
        MUST(g_world.mqtt_up && !g_world.mqtt_is_new && g_flash.has_active);
        g_flash.has_new = g_flash.has_new && g_world.store_fails;
    } else {
        g_flash.has_active = g_flash.has_active && g_world.store_fails;
    }
    return write_result();
}

const char *device_identity_id(void)
{
    return "fuzz";
}

bool device_store_has_certificate(void)
{
    return g_flash.has_new || g_flash.has_active;
}

bool device_store_has_worked(void)
{
    return g_flash.has_active;
}

esp_err_t device_store_erase(bool wifi_only)
{
    if (!g_world.store_fails) {
        g_flash.has_pending = false;
        g_flash.has_wifi = false;
        g_flash.has_token = false;
        g_flash.has_new = g_flash.has_new && wifi_only;
        g_flash.has_active = g_flash.has_active && wifi_only;
    }
    return write_result();
}
