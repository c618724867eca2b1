/* The body of POST /provision, or of the page's form: text in, a complete and valid request or a named error out. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cJSON.h"
#include "pairing.h"
#include "prov_records.h"

typedef struct {
    provisioning_t provisioning;
    char device_id[PROV_DEVICE_ID_MAX + 1];
    int64_t time; /* Unix seconds; 0 = not given */
    char pairing_secret[PAIRING_SECRET_MAX + 1];
} provision_request_t;

typedef struct {
    bool wifi_only;
    char pairing_secret[PAIRING_SECRET_MAX + 1];
} reset_request_t;

typedef struct {
    const char *code; /* "bad_json", "bad_form" or "bad_field" */
    char message[96];
    bool lacks_memory; /* nothing is wrong with the request */
} request_error_t;

/**
 * The fields of a body; NULL when it is none, and then `error` says why. A step of its own, so that the body can go
 * before the request is made: a token of PROV_TOKEN_MAX bytes need not be on the heap three times.
 */
cJSON *provision_request_document(const char *body, size_t length, request_error_t *error);

/**
 * The same of the page's form, application/x-www-form-urlencoded. Without `device_id` it means the
 * device that it is sent to, `device_id`: a browser without scripts cannot know it.
 */
cJSON *provision_form_document(const char *body, size_t length, const char *device_id, request_error_t *error);

/**
 * Validates and deletes `document`, which may be NULL. `authorization` is the value of that header or NULL.
 * `token_optional` is true when the device already holds a certificate. On false, `error` says why and names the field
 * but never repeats a value, and `out` is zeroed.
 */
bool provision_request_read(cJSON *document, const char *authorization, bool token_optional, provision_request_t *out,
                            request_error_t *error);

/**
 * The body of POST /reset: `{"scope":"wifi"|"all","pairing_secret"}`. Nothing stands for "all": what could not be read
 * must not erase everything.
 */
bool reset_request_parse(const char *body, size_t length, reset_request_t *out, request_error_t *error);
