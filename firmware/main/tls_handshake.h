/* How the calling task's last TLS handshake failed, as far as TLS knows and esp-tls does not pass on. */
#pragma once

#include <stdbool.h>

#define TLS_NO_ALERT (-1)

typedef struct {
    int alert;              /* AlertDescription of the fatal alert that came (RFC 5246, 7.2), or TLS_NO_ALERT */
    bool certificate_shown; /* the peer had been sent our certificate by then */
} tls_handshake_t;

/** Before a connection: what an earlier one has left must not explain this one. */
void tls_handshake_begin(void);
tls_handshake_t tls_handshake_last(void);
