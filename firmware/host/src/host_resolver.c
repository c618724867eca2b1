#include "host_resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "host_monitor.h"

#define STACK_BYTES (256 * 1024)

/* Of the asker and of the thread that answers; whoever comes last frees it. */
typedef struct {
    host_monitor_t monitor;
    char *host;
    int holders;
    bool is_done;
    bool is_found;
    struct sockaddr_storage address;
} query_t;

static bool read_literal(const char *host, struct sockaddr_storage *address)
{
    if (inet_pton(AF_INET, host, &((struct sockaddr_in *)address)->sin_addr) == 1) {
        address->ss_family = AF_INET;
    } else if (inet_pton(AF_INET6, host, &((struct sockaddr_in6 *)address)->sin6_addr) == 1) {
        address->ss_family = AF_INET6;
    }
    return address->ss_family != AF_UNSPEC;
}

static bool look_up(const char *host, int family, struct sockaddr_storage *address)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0 || found == NULL) {
        return false;
    }
    memcpy(address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

static void release(query_t *query)
{
    host_monitor_lock(&query->monitor);
    bool is_last = --query->holders == 0;
    host_monitor_unlock(&query->monitor);
    if (is_last) {
        host_monitor_destroy(&query->monitor);
        free(query->host);
        free(query);
    }
}

static void *answer(void *argument)
{
    query_t *query = argument;
    struct sockaddr_storage address = {0};
    bool is_found = look_up(query->host, AF_INET, &address) || look_up(query->host, AF_INET6, &address);
    host_monitor_lock(&query->monitor);
    query->is_done = true;
    query->is_found = is_found;
    query->address = address;
    host_monitor_notify(&query->monitor);
    host_monitor_unlock(&query->monitor);
    release(query);
    return NULL;
}

static bool start_thread(query_t *query)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool is_started = pthread_create(&thread, &attributes, answer, query) == 0;
    pthread_attr_destroy(&attributes);
    return is_started;
}

static bool await_answer(query_t *query, int timeout_ms, struct sockaddr_storage *address)
{
    int64_t deadline_us = host_uptime_us() + (int64_t)timeout_ms * 1000;
    host_monitor_lock(&query->monitor);
    while (!query->is_done && host_monitor_wait_until(&query->monitor, deadline_us)) {
    }
    bool is_found = query->is_done && query->is_found;
    *address = query->address;
    host_monitor_unlock(&query->monitor);
    return is_found;
}

static bool ask(const char *host, int timeout_ms, struct sockaddr_storage *address)
{
    query_t *query = calloc(1, sizeof *query);
    if (query == NULL) {
        return false;
    }
    host_monitor_init(&query->monitor);
    query->host = strdup(host);
    query->holders = 2;
    bool is_found = false;
    if (query->host != NULL && start_thread(query)) {
        is_found = await_answer(query, timeout_ms, address);
    } else {
        query->holders = 1;
    }
    release(query);
    return is_found;
}

bool host_resolve(const char *host, int port, int timeout_ms, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    if (!read_literal(host, address) && !ask(host, timeout_ms, address)) {
        return false;
    }
    /* The port lies at the same place in both. */
    ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
    return true;
}
