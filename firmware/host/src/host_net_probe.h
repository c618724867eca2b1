/* Whether a TCP port can be reached, within a time limit of our own. */
#pragma once

/**
 * libmosquitto's connect blocks for as long as the kernel tries, which is minutes; a chip gives up
 * after its network timeout. So a remote port is tried first. The host itself needs no such
 * probe and gets none: its connections succeed or fail at once.
 * @return 0, or the errno of the failure: ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH …
 */
int host_net_probe(const char *host, int port, int timeout_ms);
