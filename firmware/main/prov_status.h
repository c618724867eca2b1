/* The device's state as others may see it: written by the state machine's task, read by any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "prov_event.h"
#include "ssid_digest.h"

typedef struct {
    prov_state_t state;
    prov_failure_t failure;
    char detail[PROV_DETAIL_MAX];
    prov_failure_t last_failure; /* the latest one, also when it is over */
    char last_detail[PROV_DETAIL_MAX];
    int64_t cert_not_after;      /* of the certificate in use, Unix seconds; 0 = none in use */
    uint32_t ip; /* network byte order; 0 = none */
    uint32_t wifi_connects; /* successful ones since boot */
    uint32_t mqtt_connects;
    bool wifi_connected;
    bool certificate;    /* one is in storage */
    bool was_connected;  /* reached MQTT_CONNECTED since boot */
    uint16_t attempts_remaining;
    char attempt_id[PROV_ATTEMPT_ID_MAX + 1];
    char ssid_digest[SSID_DIGEST_LENGTH + 1]; /* of the network joined last, or being joined; "" = none since boot */
} prov_status_t;

esp_err_t prov_status_init(void);
void prov_status_get(prov_status_t *out);
/** Publishes a new snapshot; drops the claim of an earlier prov_status_claim() when asked to. */
void prov_status_set(const prov_status_t *status, bool release_claim);

typedef enum {
    PROV_CLAIM_OK,
    PROV_CLAIM_BUSY,   /* a provisioning is under way */
    PROV_CLAIM_REPEAT, /* the very attempt that is under way: the client missed our answer */
} prov_claim_t;

/**
 * Asks for the right to replace the credentials. At most one claim is out at a time; it ends with
 * prov_status_set(…, true) or prov_status_unclaim().
 */
prov_claim_t prov_status_claim(const char *attempt_id);
void prov_status_unclaim(void);

/**
 * The claimed attempt is stored. Readers see it from now on, not the error of the attempt before,
 * although the state machine's task has yet to hear of it.
 */
void prov_status_accepted(const char *attempt_id);
