/* ESP-IDF's linux target has the sockets of Linux, and no header of that name for them. */
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* esp_http_server listens on IPv6 and IPv4 with one socket, as it does above lwIP. */
#define LWIP_IPV6 1
