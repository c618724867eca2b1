/*
 * The SoftAP's network interface, to which its servers are bound: whoever is on the home network gets no answer. lwIP
 * takes a packet for the SoftAP's address from any interface, so the address that a socket is bound to does not keep
 * the home network out.
 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

/** Once, after the SoftAP's interface was created. */
esp_err_t ap_interface_init(void);

/** Before the SoftAP is closed: from now on the interface counts as down. */
void ap_interface_goes_down(void);

/** After the SoftAP was opened: waits until its interface is up. ESP_ERR_TIMEOUT when it does not come up. */
esp_err_t ap_interface_await(void);

/** Binds a socket to the interface, which must be up. */
esp_err_t ap_interface_bind(int fd);

/**
 * Binds the socket that listens on the HTTP server's port. The connections that it accepts are bound as it is. Repeated
 * by itself at every start of the SoftAP, since the interface has another number then.
 */
esp_err_t ap_interface_bind_server(void);
