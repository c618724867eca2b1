/* The SoftAP's name server: every name is the device, so that a phone finds the page by itself. */
#pragma once

/**
 * Starts it on the SoftAP's address; no-op when it runs or CONFIG_PROV_CAPTIVE_DNS_PORT is 0. A failure
 * is logged and no more: the page has an address that can be typed. One task only may start and stop it.
 */
void captive_dns_start(void);

/** Waits until its socket is closed, a quarter of a second at most. */
void captive_dns_stop(void);
