/* The station's address, as its network's DHCP server gives it. */
#pragma once

#include <stdbool.h>

#include "esp_netif_types.h"

/** Give the station an address. False when its interface was never created: then no one asks. */
bool host_netif_lease(ip_event_got_ip_t *event);
/** The same with an address that a real DHCP server gave. */
bool host_netif_assign(const esp_netif_ip_info_t *ip_info, ip_event_got_ip_t *event);
/** The station lost its network. */
void host_netif_release(void);
