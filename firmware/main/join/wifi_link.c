#include "wifi_link.h"

#include <stdatomic.h>
#include <string.h>

#include "ap_interface.h"
#include "captive_portal.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_wifi.h"
#include "prov_mailbox.h"
#include "secret_wipe.h"
#include "softap_config.h"
#include "stack_marks.h"
#include "wifi_scan.h"

static const char *TAG = "wifi";

/* The driver reports WIFI_REASON_ASSOC_LEAVE also for our own esp_wifi_disconnect(). */
static atomic_int s_own_leaves;
/* Flags, but whole words: GCC 12 exchanges a byte by a helper that ESP-IDF has not for every chip. */
static atomic_int s_wanted; /* an association: attempts and connections that were given up must stay silent */
static atomic_int s_has_ip;

static void post_down(uint16_t reason)
{
    prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_DOWN, .reason = reason});
}

static void on_disconnected(const wifi_event_sta_disconnected_t *event)
{
    atomic_store(&s_has_ip, false);
    if (event->reason == WIFI_REASON_ASSOC_LEAVE && atomic_load(&s_own_leaves) > 0) {
        atomic_fetch_sub(&s_own_leaves, 1);
        return;
    }
    if (atomic_exchange(&s_wanted, false)) {
        ESP_LOGW(TAG, "disconnected, reason %u", event->reason);
        post_down(event->reason);
    }
}

static void on_wifi(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    if (id == WIFI_EVENT_STA_CONNECTED) {
        atomic_store(&s_own_leaves, 0); /* events are in order: those of earlier leaves are behind us */
        prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_ASSOCIATED});
    } else if (id == WIFI_EVENT_STA_DISCONNECTED) {
        on_disconnected(data);
    }
    stack_marks_note(STACK_MARK_EVENTS);
}

static void on_ip(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    if (id == IP_EVENT_STA_GOT_IP) {
        const ip_event_got_ip_t *event = data;
        atomic_store(&s_has_ip, true);
        prov_post(&(prov_msg_t){.kind = PROV_MSG_LINK_UP, .ip = event->ip_info.ip.addr});
    } else if (id == IP_EVENT_STA_LOST_IP && atomic_exchange(&s_has_ip, false)) {
        /* Still associated, but the lease is gone: start over. */
        wifi_link_disconnect();
        post_down(WIFI_REASON_UNSPECIFIED);
    }
}

static esp_err_t register_handlers(void)
{
    esp_err_t err = esp_event_handler_instance_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL, NULL);
    if (err == ESP_OK) {
        err = esp_event_handler_instance_register(IP_EVENT, ESP_EVENT_ANY_ID, on_ip, NULL, NULL);
    }
    if (err == ESP_OK) {
        err = ap_interface_init();
    }
    return err == ESP_OK ? wifi_scan_init() : err;
}

/* The SoftAP is configured before the radio starts: set later, it would first come up open, under
 * the driver's default name. */
static esp_err_t start_driver(void)
{
    wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
    config.nvs_enable = 0; /* the credentials are in our records; a broken NVS must not stop the AP */
    esp_err_t err = esp_wifi_init(&config);
    if (err == ESP_OK) {
        err = esp_wifi_set_storage(WIFI_STORAGE_RAM);
    }
    if (err == ESP_OK) {
        softap_config_init(); /* the channels that the next step may name are those of the country */
        err = esp_wifi_set_mode(WIFI_MODE_APSTA);
    }
    if (err == ESP_OK) {
        err = softap_config_apply();
    }
    if (err == ESP_OK) {
        err = esp_wifi_set_mode(WIFI_MODE_STA);
    }
    return err == ESP_OK ? esp_wifi_start() : err;
}

esp_err_t wifi_link_init(void)
{
    esp_err_t err = esp_netif_init();
    if (err == ESP_OK) {
        err = esp_event_loop_create_default();
    }
    if (err != ESP_OK) {
        return err;
    }
    esp_netif_create_default_wifi_sta();
    captive_portal_init(esp_netif_create_default_wifi_ap());
    err = register_handlers();
    if (err == ESP_OK) {
        err = start_driver();
    }
    softap_config_keep_warning();
    return err;
}

esp_err_t wifi_link_ap_start(void)
{
    esp_err_t err = esp_wifi_set_mode(WIFI_MODE_APSTA);
    if (err == ESP_OK) {
        err = ap_interface_await();
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the SoftAP does not start: %s", esp_err_to_name(err));
        return err;
    }
    ESP_LOGI("prov", "AP_MODE ssid=%s channel=%d", softap_config_ssid(), softap_config_channel());
    (void)wifi_scan_request(); /* so that the first client finds a list; fails while associating */
    return ESP_OK;
}

esp_err_t wifi_link_ap_stop(void)
{
    ap_interface_goes_down();
    return esp_wifi_set_mode(WIFI_MODE_STA);
}

static void fill_station_config(const wifi_credentials_t *wifi, wifi_config_t *config)
{
    *config = (wifi_config_t){
        .sta =
            {
                .scan_method = WIFI_ALL_CHANNEL_SCAN, /* hidden networks; strongest of several */
                .sort_method = WIFI_CONNECT_AP_BY_SIGNAL,
                /* Given a password, nothing weaker than WPA2 may have it. */
                .threshold.authmode = wifi->password[0] != '\0' ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN,
                .pmf_cfg.capable = true,
                .sae_pwe_h2e = WPA3_SAE_PWE_BOTH,
            },
    };
    /* Full-length values fill their field without a NUL, as the driver expects. */
    memcpy(config->sta.ssid, wifi->ssid, strnlen(wifi->ssid, sizeof config->sta.ssid));
    memcpy(config->sta.password, wifi->password, strnlen(wifi->password, sizeof config->sta.password));
}

esp_err_t wifi_link_connect(const wifi_credentials_t *wifi)
{
    wifi_config_t config;
    fill_station_config(wifi, &config);
    wifi_scan_cancel();
    esp_err_t err = esp_wifi_set_config(WIFI_IF_STA, &config);
    secret_wipe(&config, sizeof config);
    if (err == ESP_OK) {
        atomic_store(&s_wanted, true);
        err = esp_wifi_connect();
    }
    if (err != ESP_OK) {
        atomic_store(&s_wanted, false);
        ESP_LOGW(TAG, "the attempt does not start: %s", esp_err_to_name(err));
    }
    return err;
}

void wifi_link_disconnect(void)
{
    atomic_store(&s_wanted, false);
    atomic_store(&s_has_ip, false);
    atomic_fetch_add(&s_own_leaves, 1);
    if (esp_wifi_disconnect() != ESP_OK) {
        atomic_store(&s_own_leaves, 0);
    }
}

int wifi_link_rssi(void)
{
    wifi_ap_record_t record;
    return esp_wifi_sta_get_ap_info(&record) == ESP_OK ? record.rssi : 0;
}
