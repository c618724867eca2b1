/*
 * TCP as esp-tls gets it from lwIP: one address, non-blocking connect with a time limit, a receive and send time-out
 * per call, and an abort of whatever lost its interface.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "esp_err.h"

typedef struct {
    int fd; /* -1: closed */
    uint32_t link_generation; /* the station's, when it was opened */
    int timeout_ms; /* SO_RCVTIMEO and SO_SNDTIMEO */
} host_socket_t;

/** @return ESP_OK, or the code of esp-tls with `sock_errno` set where it notes one. */
esp_err_t host_socket_connect(host_socket_t *socket, const char *host, int port, int timeout_ms, int *sock_errno);
/** 1: `events` of poll() are there; 0: not in time; -1 with errno. */
int host_socket_wait(const host_socket_t *socket, short events, int timeout_ms);
/** As recv() and send() with SO_RCVTIMEO and SO_SNDTIMEO: -1 with EAGAIN when it took too long. */
ssize_t host_socket_receive(const host_socket_t *socket, void *buffer, size_t size);
ssize_t host_socket_send(const host_socket_t *socket, const void *data, size_t size);
/** A closed one may be closed again. */
void host_socket_close(host_socket_t *socket);
