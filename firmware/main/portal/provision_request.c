#include "provision_request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock_judge.h"
#include "form_decode.h"
#include "http_refusals.h"
#include "json_guard.h"
#include "secret_wipe.h"

typedef struct {
    const char *name;
    size_t min; /* bytes; 0 = may be absent or empty */
    size_t max;
} text_rule_t;

static bool fail(request_error_t *error, const char *code, const char *field, const char *what)
{
    error->code = code;
    snprintf(error->message, sizeof error->message, "%s%s%s", field, field[0] != '\0' ? ": " : "", what);
    return false;
}

static bool bad_field(request_error_t *error, const char *field, const char *what)
{
    return fail(error, REFUSAL_BAD_FIELD_CODE, field, what);
}

/** Takes over `root`, unless a field occurs twice: readers of it could disagree on which one counts. */
static cJSON *without_repetition(cJSON *root, const char *code, request_error_t *error)
{
    if (json_has_duplicate_keys(root)) {
        fail(error, code, "body", "a field occurs twice");
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}

static cJSON *parse(const char *body, size_t length, request_error_t *error)
{
    json_guard_t verdict = JSON_GUARD_OK;
    cJSON *root = json_parse_object(body, length, &verdict);
    if (root == NULL) {
        error->lacks_memory = verdict == JSON_GUARD_NO_MEMORY;
        const char *what = verdict == JSON_GUARD_NUL        ? "a string contains NUL"
                           : verdict == JSON_GUARD_TOO_DEEP ? "nested too deeply"
                           : verdict == JSON_GUARD_TOO_MANY ? "too many values"
                                                            : "expected one JSON object";
        fail(error, REFUSAL_BAD_JSON_CODE, "body", what);
        return NULL;
    }
    return without_repetition(root, REFUSAL_BAD_JSON_CODE, error);
}

static cJSON *parse_form(const char *body, size_t length, request_error_t *error)
{
    form_verdict_t verdict = FORM_OK;
    cJSON *root = form_parse(body, length, &verdict);
    if (root == NULL) {
        error->lacks_memory = verdict == FORM_NO_MEMORY;
        fail(error, REFUSAL_BAD_FORM_CODE, "body", verdict == FORM_NUL ? "a field contains NUL" : "not a form");
        return NULL;
    }
    return without_repetition(root, REFUSAL_BAD_FORM_CODE, error);
}

static bool read_text(const cJSON *root, const text_rule_t *rule, char *out, request_error_t *error)
{
    char what[64];
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, rule->name);
    out[0] = '\0';
    if (item == NULL) {
        return rule->min == 0 || bad_field(error, rule->name, "missing");
    }
    if (!cJSON_IsString(item) || item->valuestring == NULL) {
        return bad_field(error, rule->name, "expected a string");
    }
    size_t length = strlen(item->valuestring);
    if (length < rule->min || length > rule->max) {
        snprintf(what, sizeof what, "expected %u to %u bytes, got %u", (unsigned)rule->min, (unsigned)rule->max,
                 (unsigned)length);
        return bad_field(error, rule->name, what);
    }
    memcpy(out, item->valuestring, length + 1);
    return true;
}

/** WPA: a passphrase, or the hex digits of the key itself. */
static bool password_is_valid(const char *password)
{
    size_t length = strlen(password);
    if (length == 0 || (length >= PROV_PASSPHRASE_MIN && length <= PROV_PASSPHRASE_MAX)) {
        return true;
    }
    return length == PROV_RAW_KEY_DIGITS && strspn(password, "0123456789abcdefABCDEF") == length;
}

static bool is_printable_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e) {
            return false;
        }
    }
    return true;
}

/** `Bearer <token>`: the token goes into an HTTP header again, so it must be visible ASCII. */
static bool read_bearer(const char *authorization, char *out, size_t capacity, request_error_t *error)
{
    out[0] = '\0';
    if (authorization == NULL) {
        return true;
    }
    if (strncasecmp(authorization, "Bearer ", 7) != 0) {
        return bad_field(error, "Authorization", "expected the Bearer scheme");
    }
    const char *token = authorization + 7;
    token += strspn(token, " ");
    size_t length = strlen(token);
    if (length == 0 || length >= capacity) {
        return bad_field(error, "Authorization", "expected a token of 1 to " PROV_LIMIT_TEXT(PROV_BEARER_MAX) " bytes");
    }
    if (!is_printable_ascii(token) || strchr(token, ' ') != NULL) {
        return bad_field(error, "Authorization", "expected printable ASCII without spaces");
    }
    memcpy(out, token, length + 1);
    return true;
}

static bool read_time(const cJSON *root, int64_t *out, request_error_t *error)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, "time");
    *out = 0;
    if (item == NULL) {
        return true;
    }
    if (!cJSON_IsNumber(item)) {
        return bad_field(error, "time", "expected an integer, Unix seconds");
    }
    /* Written so that a NaN, were there one, is out of range: the cast below must be defined. */
    if (!(item->valuedouble >= PROV_TIME_MIN && item->valuedouble <= PROV_TIME_MAX)) {
        return bad_field(error, "time", "expected Unix seconds between 2023-11-14 and 2100-01-01");
    }
    if (item->valuedouble != (double)(int64_t)item->valuedouble) {
        return bad_field(error, "time", "expected an integer, Unix seconds");
    }
    *out = (int64_t)item->valuedouble;
    return true;
}

static bool read_fields(const cJSON *root, bool token_optional, provision_request_t *out, request_error_t *error)
{
    static const text_rule_t SSID = {"ssid", 1, PROV_SSID_MAX};
    static const text_rule_t PASSWORD = {"password", 0, PROV_PASSWORD_MAX};
    static const text_rule_t DEVICE_ID = {"device_id", 1, PROV_DEVICE_ID_MAX};
    static const text_rule_t ATTEMPT_ID = {"attempt_id", 0, PROV_ATTEMPT_ID_MAX};
    static const text_rule_t PAIRING = {"pairing_secret", 0, PAIRING_SECRET_MAX};
    const text_rule_t token_rule = {"provisioning_token", token_optional ? 0 : 1, PROV_TOKEN_MAX};
    wifi_credentials_t *wifi = &out->provisioning.wifi;
    enrolment_t *enrol = &out->provisioning.enrol;

    if (!read_text(root, &SSID, wifi->ssid, error) || !read_text(root, &PASSWORD, wifi->password, error) ||
        !read_text(root, &DEVICE_ID, out->device_id, error) || !read_text(root, &token_rule, enrol->token, error) ||
        !read_text(root, &ATTEMPT_ID, enrol->attempt_id, error) ||
        !read_text(root, &PAIRING, out->pairing_secret, error) || !read_time(root, &out->time, error)) {
        return false;
    }
    if (!password_is_valid(wifi->password)) {
        return bad_field(error, "password", "expected " PROV_LIMIT_TEXT(PROV_PASSPHRASE_MIN) " to " PROV_LIMIT_TEXT(PROV_PASSPHRASE_MAX) " bytes, "
                                            PROV_LIMIT_TEXT(PROV_RAW_KEY_DIGITS) " hex digits, or none");
    }
    if (!is_printable_ascii(enrol->token) || strchr(enrol->token, ' ') != NULL) {
        return bad_field(error, "provisioning_token", "expected printable ASCII without spaces");
    }
    return is_printable_ascii(enrol->attempt_id) || bad_field(error, "attempt_id", "expected printable ASCII");
}

cJSON *provision_request_document(const char *body, size_t length, request_error_t *error)
{
    return parse(body, length, error);
}

cJSON *provision_form_document(const char *body, size_t length, const char *device_id, request_error_t *error)
{
    cJSON *root = parse_form(body, length, error);
    if (root != NULL && cJSON_GetObjectItemCaseSensitive(root, "device_id") == NULL) {
        error->lacks_memory = cJSON_AddStringToObject(root, "device_id", device_id) == NULL; /* it is missing then */
    }
    return root;
}

bool provision_request_read(cJSON *document, const char *authorization, bool token_optional, provision_request_t *out,
                            request_error_t *error)
{
    enrolment_t *enrol = &out->provisioning.enrol;
    memset(out, 0, sizeof *out);
    bool valid = document != NULL && read_fields(document, token_optional, out, error) &&
                 read_bearer(authorization, enrol->bearer, sizeof enrol->bearer, error);
    cJSON_Delete(document);
    if (!valid) {
        secret_wipe(out, sizeof *out);
    }
    return valid;
}

bool reset_request_parse(const char *body, size_t length, reset_request_t *out, request_error_t *error)
{
    static const text_rule_t PAIRING = {"pairing_secret", 0, PAIRING_SECRET_MAX};
    memset(out, 0, sizeof *out);
    if (length == 0) {
        return bad_field(error, "scope", "expected \"wifi\" or \"all\"");
    }
    cJSON *root = parse(body, length, error);
    if (root == NULL) {
        return false;
    }
    const cJSON *scope = cJSON_GetObjectItemCaseSensitive(root, "scope");
    bool valid = read_text(root, &PAIRING, out->pairing_secret, error);
    if (cJSON_IsString(scope) && strcmp(scope->valuestring, "wifi") == 0) {
        out->wifi_only = true;
    } else if (!cJSON_IsString(scope) || strcmp(scope->valuestring, "all") != 0) {
        valid = bad_field(error, "scope", "expected \"wifi\" or \"all\"");
    }
    cJSON_Delete(root);
    if (!valid) {
        secret_wipe(out, sizeof *out);
    }
    return valid;
}
