/* The two WiFi interfaces and their addresses. */
#include "esp_netif.h"

#include <pthread.h>
#include <string.h>

#include "esp_mac.h"
#include "esp_wifi_default.h"
#include "host_loopback.h"
#include "host_netif.h"
#include "host_softap.h"

ESP_EVENT_DEFINE_BASE(IP_EVENT);

struct esp_netif_obj {
    const char *if_key;
    bool is_created;
    bool is_dhcps_stopped;
    esp_netif_ip_info_t ip_info;
};

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static esp_netif_t s_sta = {.if_key = "WIFI_STA_DEF"};
static esp_netif_t s_ap = {.if_key = "WIFI_AP_DEF"};

esp_err_t esp_netif_init(void)
{
    return ESP_OK;
}

static esp_netif_t *create(esp_netif_t *netif)
{
    pthread_mutex_lock(&s_lock);
    bool was_created = netif->is_created;
    netif->is_created = true;
    pthread_mutex_unlock(&s_lock);
    configASSERT(!was_created); /* ESP-IDF: "Failed to configure netif ... (config=NULL or if_key is NULL or duplicate key)" */
    return netif;
}

esp_netif_t *esp_netif_create_default_wifi_sta(void)
{
    return create(&s_sta);
}

esp_netif_t *esp_netif_create_default_wifi_ap(void)
{
    s_ap.ip_info = (esp_netif_ip_info_t){.ip = {ESP_IP4TOADDR(192, 168, 4, 1)},
                                         .netmask = {ESP_IP4TOADDR(255, 255, 255, 0)},
                                         .gw = {ESP_IP4TOADDR(192, 168, 4, 1)}};
    return create(&s_ap);
}

esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key)
{
    esp_netif_t *netif = NULL;
    pthread_mutex_lock(&s_lock);
    if (s_sta.is_created && strcmp(if_key, s_sta.if_key) == 0) {
        netif = &s_sta;
    } else if (s_ap.is_created && strcmp(if_key, s_ap.if_key) == 0) {
        netif = &s_ap;
    }
    pthread_mutex_unlock(&s_lock);
    return netif;
}

esp_err_t esp_netif_get_ip_info(esp_netif_t *esp_netif, esp_netif_ip_info_t *ip_info)
{
    if (esp_netif == NULL || ip_info == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    pthread_mutex_lock(&s_lock);
    *ip_info = esp_netif->ip_info;
    pthread_mutex_unlock(&s_lock);
    return ESP_OK;
}

esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *esp_netif, char *name)
{
    const char *interface = esp_netif == &s_ap ? host_softap_interface() : NULL;
    if (interface == NULL || name == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    memcpy(name, interface, strlen(interface) + 1);
    return ESP_OK;
}

static esp_err_t switch_dhcps(esp_netif_t *netif, bool stop)
{
    if (netif != &s_ap) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    pthread_mutex_lock(&s_lock);
    bool was_stopped = netif->is_dhcps_stopped;
    netif->is_dhcps_stopped = stop;
    pthread_mutex_unlock(&s_lock);
    if (was_stopped != stop) {
        return ESP_OK;
    }
    return stop ? ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED : ESP_ERR_ESP_NETIF_DHCP_ALREADY_STARTED;
}

esp_err_t esp_netif_dhcps_start(esp_netif_t *esp_netif)
{
    return switch_dhcps(esp_netif, false);
}

esp_err_t esp_netif_dhcps_stop(esp_netif_t *esp_netif)
{
    return switch_dhcps(esp_netif, true);
}

esp_err_t esp_netif_dhcps_option(esp_netif_t *esp_netif, esp_netif_dhcp_option_mode_t opt_op,
                                 esp_netif_dhcp_option_id_t opt_id, void *opt_val,
                                 uint32_t opt_len)
{
    (void)opt_id;
    (void)opt_len;
    if (esp_netif != &s_ap || opt_val == NULL || opt_op >= ESP_NETIF_OP_MAX) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    pthread_mutex_lock(&s_lock);
    bool is_stopped = esp_netif->is_dhcps_stopped;
    pthread_mutex_unlock(&s_lock);
    return opt_op == ESP_NETIF_OP_SET && !is_stopped ? ESP_ERR_ESP_NETIF_DHCP_NOT_STOPPED : ESP_OK;
}

bool host_netif_assign(const esp_netif_ip_info_t *ip_info, ip_event_got_ip_t *event)
{
    pthread_mutex_lock(&s_lock);
    bool is_created = s_sta.is_created;
    if (is_created) {
        s_sta.ip_info = *ip_info;
        *event = (ip_event_got_ip_t){
            .esp_netif = &s_sta, .ip_info = s_sta.ip_info, .ip_changed = true};
    }
    pthread_mutex_unlock(&s_lock);
    return is_created;
}

/* Where the board has interfaces of its own, nobody else knows of this address. */
static esp_netif_ip_info_t invent(void)
{
    uint8_t mac[6];
    esp_read_mac(mac, ESP_MAC_WIFI_STA);
    return (esp_netif_ip_info_t){.ip = {ESP_IP4TOADDR(192, 168, 1, 100 + mac[5] % 100)},
                                 .netmask = {ESP_IP4TOADDR(255, 255, 255, 0)},
                                 .gw = {ESP_IP4TOADDR(192, 168, 1, 1)}};
}

bool host_netif_lease(ip_event_got_ip_t *event)
{
    esp_netif_ip_info_t ip_info = {.ip = {host_loopback_station()},
                                   .netmask = {ESP_IP4TOADDR(255, 0, 0, 0)},
                                   .gw = {ESP_IP4TOADDR(127, 0, 0, 1)}};
    if (!host_loopback_is_used()) {
        ip_info = invent();
    }
    bool is_assigned = host_netif_assign(&ip_info, event);
    if (is_assigned && host_loopback_is_used()) {
        host_softap_note_station(ip_info.ip.addr);
    }
    return is_assigned;
}

void host_netif_release(void)
{
    pthread_mutex_lock(&s_lock);
    memset(&s_sta.ip_info, 0, sizeof s_sta.ip_info);
    pthread_mutex_unlock(&s_lock);
    host_softap_note_station(0);
}
