/* Network interfaces: the WiFi station and the SoftAP. */
#pragma once

#include "esp_err.h"
#include "esp_event.h"
#include "esp_netif_ip_addr.h"
#include "esp_netif_types.h"

esp_err_t esp_netif_init(void);

/** "WIFI_STA_DEF", "WIFI_AP_DEF"; NULL when it was not created. */
esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key);
/** All zero while there is no address. */
esp_err_t esp_netif_get_ip_info(esp_netif_t *esp_netif, esp_netif_ip_info_t *ip_info);
/** The name that lwIP knows it by, at most 6 bytes on the chip; of the SoftAP, while it is up. */
esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *esp_netif, char *name);

/* The SoftAP's DHCP server: only its states are modelled, nobody asks it for an address. */
esp_err_t esp_netif_dhcps_start(esp_netif_t *esp_netif);
esp_err_t esp_netif_dhcps_stop(esp_netif_t *esp_netif);
/** ESP_ERR_ESP_NETIF_DHCP_NOT_STOPPED while the server runs. */
esp_err_t esp_netif_dhcps_option(esp_netif_t *esp_netif, esp_netif_dhcp_option_mode_t opt_op,
                                 esp_netif_dhcp_option_id_t opt_id, void *opt_val,
                                 uint32_t opt_len);
