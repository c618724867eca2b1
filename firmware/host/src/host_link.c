#include "host_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "esp_log.h"

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static host_link_t s_link;

host_link_t host_link_get(void)
{
    pthread_mutex_lock(&s_lock);
    host_link_t link = s_link;
    pthread_mutex_unlock(&s_lock);
    return link;
}

static void set(bool is_up, uint32_t source, bool does_resolve)
{
    pthread_mutex_lock(&s_lock);
    if (s_link.is_up != is_up) {
        s_link.generation++;
    }
    s_link.is_up = is_up;
    s_link.source = source;
    s_link.does_resolve = does_resolve;
    pthread_mutex_unlock(&s_lock);
}

void host_link_set_up(uint32_t source, bool does_resolve)
{
    set(true, source, does_resolve);
}

void host_link_set_down(void)
{
    set(false, 0, false);
}

void host_link_bind(int fd)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = host_link_get().source};
    int on = 1; /* a port of its own is not needed before connect() */
    if (name.sin_addr.s_addr != 0 && (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
                                      bind(fd, (struct sockaddr *)&name, sizeof name) != 0)) {
        ESP_LOGW("host_link", "not from the station's address: %s", strerror(errno));
    }
}

bool host_is_ip_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}
