#include "host_link.h"

#include <arpa/inet.h>
#include <pthread.h>

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static host_link_t s_link;

host_link_t host_link_get(void)
{
    pthread_mutex_lock(&s_lock);
    host_link_t link = s_link;
    pthread_mutex_unlock(&s_lock);
    return link;
}

void host_link_set(bool is_up, bool does_resolve)
{
    pthread_mutex_lock(&s_lock);
    if (s_link.is_up != is_up) {
        s_link.generation++;
    }
    s_link.is_up = is_up;
    s_link.does_resolve = is_up && does_resolve;
    pthread_mutex_unlock(&s_lock);
}

bool host_is_ip_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}
