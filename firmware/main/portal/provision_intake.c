#include "provision_intake.h"

#include <string.h>

#include "access_gate.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_log.h"
#include "esp_system.h"
#include "http_refusals.h"
#include "prov_mailbox.h"
#include "prov_status.h"

provision_intake_t provision_intake_pairing(httpd_req_t *req, const char *pairing_secret)
{
    switch (access_gate_pairing(req, pairing_secret)) {
    case PAIRING_REQUIRED:
        return PROVISION_UNPAIRED;
    case PAIRING_LOCKED:
        return PROVISION_LOCKED;
    case PAIRING_OK:
    default:
        return PROVISION_SAVED;
    }
}

static provision_intake_t ask_gates(httpd_req_t *req, const provision_request_t *request)
{
    provision_intake_t pairing = provision_intake_pairing(req, request->pairing_secret);
    if (pairing != PROVISION_SAVED) {
        return pairing;
    }
    if (strcmp(request->device_id, device_identity_id()) != 0) {
        return PROVISION_WRONG_DEVICE;
    }
    return access_gate_wait_ms() > 0 ? PROVISION_TOO_OFTEN : PROVISION_SAVED;
}

static provision_intake_t store(const provision_request_t *request)
{
    const char *attempt_id = request->provisioning.enrol.attempt_id;
    switch (prov_status_claim(attempt_id)) {
    case PROV_CLAIM_REPEAT:
        return PROVISION_REPEAT;
    case PROV_CLAIM_BUSY:
        return PROVISION_BUSY;
    case PROV_CLAIM_OK:
    default:
        break;
    }
    if (device_store_save_pending(&request->provisioning) != ESP_OK) {
        prov_status_unclaim();
        return PROVISION_STORAGE_FAILED;
    }
    if (request->time != 0) {
        device_clock_offer(request->time);
    }
    ESP_LOGI("http", "credentials saved");
    prov_status_accepted(attempt_id);
    return PROVISION_SAVED;
}

provision_intake_t provision_intake(httpd_req_t *req, const provision_request_t *request)
{
    provision_intake_t gates = ask_gates(req, request);
    return gates == PROVISION_SAVED ? store(request) : gates;
}

void provision_intake_begin(void)
{
    if (!prov_post_event(PROV_EVENT_PROVISION)) {
        esp_restart(); /* nobody takes events any more; the next boot finds the stored request */
    }
}

const provision_refusal_t *provision_refusal(provision_intake_t outcome)
{
    static const provision_refusal_t REFUSALS[] = {
        [PROVISION_UNPAIRED] = {REFUSAL_PAIRING_REQUIRED},
        [PROVISION_LOCKED] = {REFUSAL_LOCKED},
        [PROVISION_WRONG_DEVICE] = {REFUSAL_WRONG_DEVICE},
        [PROVISION_TOO_OFTEN] = {REFUSAL_SLOW_DOWN},
        [PROVISION_BUSY] = {REFUSAL_BUSY},
        [PROVISION_STORAGE_FAILED] = {REFUSAL_STORAGE_FAILED},
    };
    return REFUSALS[outcome].code != NULL ? &REFUSALS[outcome] : NULL;
}
