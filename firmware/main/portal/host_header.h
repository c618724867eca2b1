/* What the Host and Origin headers of a request name. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * True when `host` is an IPv4 address as browsers write it, four decimal numbers, with or without a port; `*address`
 * is then it, network byte order. No name is ever the board: whoever owns a name can make it lead here (DNS
 * rebinding), and then the pages of that name may read what the board answers.
 */
bool host_header_address(const char *host, uint32_t *address);

/** True when `origin` is the page that the address bar shows for `host`: plain HTTP, same address, same port. */
bool host_header_is_origin(const char *host, const char *origin);
