/* As lwIP's; see sys/socket.h. */
#pragma once

#define IFNAMSIZ 6

struct ifreq {
    char ifr_name[IFNAMSIZ];
};
