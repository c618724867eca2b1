#include "captive_portal.h"

#include <stdio.h>
#include <string.h>

#include "esp_idf_version.h"
#include "esp_log.h"

static esp_ip4_addr_t s_address;
static char s_uri[32]; /* the DHCP server keeps a pointer to it */

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 4, 0)
static void announce(esp_netif_t *softap)
{
    /* Stopped and started again, the server is where it was: it starts with the SoftAP. */
    esp_err_t err = esp_netif_dhcps_stop(softap);
    if (err == ESP_OK || err == ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED) {
        err = esp_netif_dhcps_option(softap, ESP_NETIF_OP_SET, ESP_NETIF_CAPTIVEPORTAL_URI, s_uri,
                                     (uint32_t)strlen(s_uri));
        esp_err_t restarted = esp_netif_dhcps_start(softap);
        err = err == ESP_OK ? restarted : err;
    }
    if (err != ESP_OK) {
        ESP_LOGW("portal", "DHCP does not announce the page: %s", esp_err_to_name(err));
    }
}
#else
static void announce(esp_netif_t *softap)
{
    (void)softap;
}
#endif

void captive_portal_init(esp_netif_t *softap)
{
    esp_netif_ip_info_t info = {0};
    if (esp_netif_get_ip_info(softap, &info) != ESP_OK) {
        ESP_LOGW("portal", "the SoftAP has no address");
    }
    s_address = info.ip;
    snprintf(s_uri, sizeof s_uri, "http://" IPSTR "/", IP2STR(&s_address));
    announce(softap);
}

uint32_t captive_portal_address(void)
{
    return s_address.addr;
}

const char *captive_portal_uri(void)
{
    return s_uri;
}
