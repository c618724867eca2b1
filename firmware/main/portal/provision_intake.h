/* What happens to a valid provisioning, whichever way it came in: JSON or the page's form. */
#pragma once

#include "esp_http_server.h"
#include "provision_request.h"

typedef enum {
    PROVISION_SAVED,  /* answer, then provision_intake_begin() */
    PROVISION_REPEAT, /* the very attempt that is under way: the client missed our answer */
    PROVISION_UNPAIRED,
    PROVISION_LOCKED,
    PROVISION_WRONG_DEVICE,
    PROVISION_TOO_OFTEN,
    PROVISION_BUSY, /* another one is under way */
    PROVISION_STORAGE_FAILED,
} provision_intake_t;

typedef struct {
    const char *status_line;
    const char *code;
    const char *message;
} provision_refusal_t;

/** Asks every gate, then stores the request, all of it or nothing. */
provision_intake_t provision_intake(httpd_req_t *req, const provision_request_t *request);

/** After PROVISION_SAVED and its answer: only now may the state machine touch the radio. */
void provision_intake_begin(void);

/** The gate of the pairing secret alone: PROVISION_SAVED, PROVISION_UNPAIRED or PROVISION_LOCKED. */
provision_intake_t provision_intake_pairing(httpd_req_t *req, const char *pairing_secret);

/** How to refuse; NULL for PROVISION_SAVED and PROVISION_REPEAT. */
const provision_refusal_t *provision_refusal(provision_intake_t outcome);
