/* The error record with the part that esp-tls does not show. */
#pragma once

#include "esp_tls_errors.h"

typedef struct {
    esp_tls_last_error_t parent;
    int sock_errno;
} host_tls_error_t;
