/* What the device remembers, as C types and as the bytes of one NVS blob each. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prov_limits.h"

#define PROV_PASSWORD_MAX PROV_RAW_KEY_DIGITS /* longer than a passphrase */

typedef struct {
    char ssid[PROV_SSID_MAX + 1];
    char password[PROV_PASSWORD_MAX + 1]; /* "" = open network */
} wifi_credentials_t;

/** The secrets of one provisioning run. */
typedef struct {
    char token[PROV_TOKEN_MAX + 1];  /* for CSR signing, once; "" when spent or absent */
    char bearer[PROV_BEARER_MAX + 1]; /* for calls on the user's behalf; "" when absent */
    char attempt_id[PROV_ATTEMPT_ID_MAX + 1];
} enrolment_t;

typedef struct {
    wifi_credentials_t wifi;
    enrolment_t enrol;
} provisioning_t;

/** Of the time, for the next boot. */
typedef struct {
    int64_t time;   /* Unix seconds */
    int64_t anchor; /* a time server said so, and a TLS peer agreed: no client may say anything earlier; 0 = none */
} clock_record_t;

/* Enough for any record but a certificate's (certificate_record.h). */
#define PROV_RECORD_MAX (sizeof(provisioning_t) + 16)

/** Encodes into `out`; returns the size, or 0 when `capacity` is too small. */
size_t wifi_record_encode(const wifi_credentials_t *wifi, uint8_t *out, size_t capacity);
size_t enrolment_record_encode(const enrolment_t *enrol, uint8_t *out, size_t capacity);
size_t provisioning_record_encode(const provisioning_t *prov, uint8_t *out, size_t capacity);

/**
 * Takes the token out of an enrolment's record where it lies and says how long the record is now, with nothing of the
 * token behind it. False when there is no token, or no such record.
 */
bool enrolment_record_spend(uint8_t *record, size_t *size);

/** Decode a record; false (and zeroes) when it is not a complete record of this version. */
bool wifi_record_decode(const uint8_t *record, size_t size, wifi_credentials_t *wifi);
bool enrolment_record_decode(const uint8_t *record, size_t size, enrolment_t *enrol);
bool provisioning_record_decode(const uint8_t *record, size_t size, provisioning_t *prov);

/**
 * A certificate and its CA as devices of 0.1.0 keep them, two texts of PEM in their record, to be read by
 * certificate_read(). False when it is no such record.
 */
bool certificate_texts(uint8_t *record, size_t size, char **certificate_pem, char **ca_pem);
