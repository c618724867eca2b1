#include "certificate_check.h"

#include <string.h>

#include "certificate_parse.h"
#include "mbedtls/pk.h"
#include "mbedtls/version.h"
#if MBEDTLS_VERSION_MAJOR == 3
#include "esp_random.h"
#endif

/* The backend's clock and ours may differ a little: a certificate made this moment must pass. */
#define CLOCK_SKEW_S 300

/*
 * The key functions changed with each major version of mbedTLS (2.28 is the host's, 3.x comes with
 * ESP-IDF 5, 4.x with 6). The version of mbedTLS decides, not ESP-IDF's.
 */
#if MBEDTLS_VERSION_MAJOR == 3
static int fill_random(void *context, unsigned char *out, size_t size)
{
    (void)context;
    esp_fill_random(out, size);
    return 0;
}
#endif

static int parse_key(mbedtls_pk_context *pk, const char *pem)
{
    const unsigned char *text = (const unsigned char *)pem;
    size_t size = strlen(pem) + 1; /* mbedTLS counts the NUL of a PEM text */
#if MBEDTLS_VERSION_MAJOR == 3
    return mbedtls_pk_parse_key(pk, text, size, NULL, 0, fill_random, NULL);
#else
    return mbedtls_pk_parse_key(pk, text, size, NULL, 0);
#endif
}

static int check_pair(const mbedtls_pk_context *public_key, const mbedtls_pk_context *private_key)
{
#if MBEDTLS_VERSION_MAJOR == 3
    return mbedtls_pk_check_pair(public_key, private_key, fill_random, NULL);
#else
    return mbedtls_pk_check_pair(public_key, private_key);
#endif
}

/** All that have `role`, in their order. One to trust that mbedTLS cannot read is none. */
static certificate_verdict_t parse_certificates(mbedtls_x509_crt *chain, const certificate_t *certificate, uint8_t role)
{
    certificate_item_t item = {0};
    certificate_verdict_t verdict = CERTIFICATE_OK;
    while (verdict == CERTIFICATE_OK && certificate_next(certificate, role, &item)) {
        verdict = certificate_parse(chain, item.der, item.size);
        verdict = verdict == CERTIFICATE_MALFORMED && role == CERTIFICATE_TRUSTED ? CERTIFICATE_OK : verdict;
    }
    return verdict;
}

static certificate_verdict_t check_key(const mbedtls_x509_crt *certificate, const char *key_pem)
{
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int code = parse_key(&key, key_pem);
    if (code == 0) {
        code = check_pair(&certificate->pk, &key);
    }
    mbedtls_pk_free(&key);
    return certificate_verdict_of(code, CERTIFICATE_FOREIGN_KEY);
}

static bool has_common_name(const mbedtls_x509_crt *certificate, const char *device_id)
{
    static const unsigned char OID_CN[] = {0x55, 0x04, 0x03};
    for (const mbedtls_x509_name *name = &certificate->subject; name != NULL; name = name->next) {
        if (name->oid.len == sizeof OID_CN && memcmp(name->oid.p, OID_CN, sizeof OID_CN) == 0) {
            return name->val.len == strlen(device_id) && memcmp(name->val.p, device_id, name->val.len) == 0;
        }
    }
    return false;
}

/** RFC 5280, 4.2.1.3 and 4.2.1.12; what a certificate does not say, it does not forbid. */
static bool is_for_clients(const mbedtls_x509_crt *certificate)
{
    static const char CLIENT_AUTH[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
    return mbedtls_x509_crt_check_key_usage(certificate, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0 &&
           mbedtls_x509_crt_check_extended_key_usage(certificate, CLIENT_AUTH, sizeof CLIENT_AUTH) == 0;
}

/** Days from 1970-01-01 in the Gregorian calendar (mktime() would apply a time zone). */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t unix_time(const mbedtls_x509_time *t)
{
    return ((days_from_civil(t->year, t->mon, t->day) * 24 + t->hour) * 60 + t->min) * 60 + t->sec;
}

/* mbedTLS' own verdict on dates is not used: it reads the system clock, not `now`. */
static certificate_verdict_t check_dates(const mbedtls_x509_crt *certificate, int64_t now)
{
    if (now < unix_time(&certificate->valid_from) - CLOCK_SKEW_S) {
        return CERTIFICATE_NOT_YET_VALID;
    }
    return now > unix_time(&certificate->valid_to) ? CERTIFICATE_EXPIRED : CERTIFICATE_OK;
}

/** Each certificate we present must be valid now; of the CAs, one (an old root may be among them). */
static certificate_verdict_t check_all_dates(const mbedtls_x509_crt *chain, const mbedtls_x509_crt *ca, int64_t now)
{
    for (; chain != NULL; chain = chain->next) {
        certificate_verdict_t verdict = check_dates(chain, now);
        if (verdict != CERTIFICATE_OK) {
            return verdict;
        }
    }
    certificate_verdict_t verdict = CERTIFICATE_EXPIRED;
    for (; ca != NULL && verdict != CERTIFICATE_OK; ca = ca->next) {
        verdict = check_dates(ca, now);
    }
    return verdict;
}

static bool leads_to(mbedtls_x509_crt *chain, mbedtls_x509_crt *ca)
{
    uint32_t flags = 0;
    int result = mbedtls_x509_crt_verify(chain, ca, NULL, NULL, &flags, NULL, NULL);
    if (result != 0 && result != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        return false;
    }
    return (flags & ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) == 0;
}

static certificate_verdict_t check_parsed(mbedtls_x509_crt *chain, mbedtls_x509_crt *ca,
                                          const certificate_claim_t *claim)
{
    certificate_verdict_t key = check_key(chain, claim->key_pem);
    if (key != CERTIFICATE_OK) {
        return key;
    }
    if (!has_common_name(chain, claim->device_id)) {
        return CERTIFICATE_WRONG_NAME;
    }
    if (!is_for_clients(chain)) {
        return CERTIFICATE_WRONG_USE;
    }
    if (!leads_to(chain, ca)) {
        return CERTIFICATE_WRONG_CHAIN;
    }
    return check_all_dates(chain, ca, claim->now);
}

static certificate_verdict_t look(const certificate_claim_t *claim)
{
    mbedtls_x509_crt chain;
    mbedtls_x509_crt ca;
    mbedtls_x509_crt_init(&chain);
    mbedtls_x509_crt_init(&ca);
    certificate_verdict_t verdict = parse_certificates(&chain, claim->certificate, CERTIFICATE_SENT);
    if (verdict == CERTIFICATE_OK) {
        verdict = parse_certificates(&ca, claim->certificate, CERTIFICATE_TRUSTED);
    }
    if (verdict == CERTIFICATE_OK) {
        verdict = check_parsed(&chain, &ca, claim);
    }
    mbedtls_x509_crt_free(&ca);
    mbedtls_x509_crt_free(&chain);
    return verdict;
}

/*
 * Not all want of memory has a code of its own: to mbedTLS, a signature for which it had none is a bad one. So a
 * certificate is condemned at the second look only.
 */
certificate_verdict_t certificate_check(const certificate_claim_t *claim)
{
    certificate_verdict_t verdict = look(claim);
    return verdict == CERTIFICATE_OK ? verdict : look(claim);
}

certificate_verdict_t certificate_validity(const certificate_t *certificate, int64_t *not_before, int64_t *not_after)
{
    mbedtls_x509_crt chain;
    mbedtls_x509_crt_init(&chain);
    certificate_item_t own = {0};
    bool is_there = certificate_next(certificate, CERTIFICATE_SENT, &own);
    certificate_verdict_t verdict = is_there ? certificate_parse(&chain, own.der, own.size) : CERTIFICATE_MALFORMED;
    if (verdict == CERTIFICATE_OK) {
        *not_before = unix_time(&chain.valid_from);
        *not_after = unix_time(&chain.valid_to);
    }
    mbedtls_x509_crt_free(&chain);
    return verdict;
}

const char *certificate_verdict_text(certificate_verdict_t verdict)
{
    switch (verdict) {
    case CERTIFICATE_OK:
        return "valid";
    case CERTIFICATE_NO_MEMORY:
        return "could not be looked at: out of memory";
    case CERTIFICATE_MALFORMED:
        return "cannot be parsed";
    case CERTIFICATE_FOREIGN_KEY:
        return "is for another key";
    case CERTIFICATE_WRONG_NAME:
        return "is for another device";
    case CERTIFICATE_WRONG_USE:
        return "is not for TLS clients";
    case CERTIFICATE_NOT_YET_VALID:
        return "is not valid yet";
    case CERTIFICATE_EXPIRED:
        return "has expired";
    case CERTIFICATE_WRONG_CHAIN:
        return "was not issued by the given CA";
    default:
        return "is unusable";
    }
}
