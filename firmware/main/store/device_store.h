/*
 * What survives a power cut: NVS namespace "device_config", one blob per record.
 *
 * Every function is safe to call from any task. NVS replaces one blob atomically; where a step
 * needs several writes, device_store.c states the order and why each intermediate state is sound.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "certificate_record.h"
#include "esp_err.h"
#include "prov_records.h"

typedef enum {
    CERTIFICATE_SLOT_NEW,    /* signed, but no connection with it has succeeded yet */
    CERTIFICATE_SLOT_ACTIVE, /* the last one that worked */
} certificate_slot_t;

/** Call once, before anything else. A storage that cannot be used reports an error and stays closed. */
esp_err_t device_store_init(void);

esp_err_t device_store_save_pending(const provisioning_t *pending);
/** ESP_ERR_NOT_FOUND when there is none. `revision` tells it from one that is saved later. */
esp_err_t device_store_load_pending(provisioning_t *pending, uint32_t *revision);
/** The pending WiFi credentials of that revision did not work. Later ones stay, and that is no error. */
esp_err_t device_store_drop_pending(uint32_t revision);
/** They worked: they and their secrets become the ones in effect. Later ones stay, and that is no error. */
esp_err_t device_store_commit_pending(uint32_t revision);

/** ESP_ERR_NOT_FOUND when there are none. */
esp_err_t device_store_load_wifi(wifi_credentials_t *wifi);
esp_err_t device_store_load_enrolment(enrolment_t *enrol);
/**
 * The provisioning token, or else the Bearer, in a heap block of its own size; NULL when there is none. The caller wipes
 * it. False when out of memory.
 */
bool device_store_load_secret(bool is_token, char **secret);
/** Erases the provisioning token and keeps the rest of the record. */
esp_err_t device_store_spend_token(void);

/** Stores a signed certificate as the new one and erases the token that it cost. */
esp_err_t device_store_save_certificate(const certificate_t *certificate);
/** ESP_ERR_NOT_FOUND when the slot is empty. The caller frees `certificate`. */
esp_err_t device_store_load_certificate(certificate_slot_t slot, certificate_t *certificate);
esp_err_t device_store_drop_certificate(certificate_slot_t slot);
/** A connection with the new certificate succeeded: it becomes the active one. */
esp_err_t device_store_promote_certificate(void);
bool device_store_has_certificate(void);
/** The device has been online: a connection with some certificate has succeeded. */
bool device_store_has_worked(void);

esp_err_t device_store_save_clock(const clock_record_t *record);
esp_err_t device_store_load_clock(clock_record_t *record);

/** Forgets WiFi and tokens, or everything; after the latter, the store is closed until the next boot. */
esp_err_t device_store_erase(bool wifi_only);
