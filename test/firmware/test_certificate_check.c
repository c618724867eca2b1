#include <stdlib.h>
#include <time.h>

#include "certificate_check.h"
#include "certificate_read.h"
#include "check.h"
#include "files.h"

#define DAY (24 * 60 * 60)

/* ---- an allocation that fails, counted from now; 0: none ---- */

static unsigned long s_fails_at;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return s_fails_at > 0 && --s_fails_at == 0 ? NULL : __real_calloc(count, size);
}

/** Of two texts of PEM, which stay as they are. */
static certificate_t read_texts(const char *certificate_pem, const char *ca_pem)
{
    char *own = strdup(certificate_pem);
    char *ca = strdup(ca_pem);
    certificate_reading_t reading;
    CHECK(certificate_read(own, ca, &reading) == CERTIFICATE_OK);
    free(own);
    free(ca);
    return reading.certificate;
}

static certificate_verdict_t check_at(const char *crt, const char *ca, const char *key, int64_t now)
{
    char *certificate_pem = load(crt);
    char *ca_pem = load(ca);
    char *key_pem = load(key);
    certificate_t certificate = read_texts(certificate_pem, ca_pem);
    const certificate_claim_t claim = {
        .certificate = &certificate, .key_pem = key_pem, .device_id = "dev1", .now = now};
    certificate_verdict_t verdict = certificate_check(&claim);
    certificate_free(&certificate);
    free(certificate_pem);
    free(ca_pem);
    free(key_pem);
    return verdict;
}

static certificate_verdict_t check(const char *crt, const char *ca, const char *key)
{
    return check_at(crt, ca, key, (int64_t)time(NULL));
}

static void test_others(void)
{
    char *crt = load("device.crt");
    char *ca = load("ca.crt");
    char *key = load("device.key");
    certificate_t certificate = read_texts(crt, ca);
    certificate_claim_t claim = {&certificate, key, "dev1", (int64_t)time(NULL)};
    CHECK(certificate_check(&claim) == CERTIFICATE_OK);
    int64_t not_before = 0;
    int64_t not_after = 0;
    CHECK(certificate_validity(&certificate, &not_before, &not_after) == CERTIFICATE_OK);
    CHECK(not_after - not_before == 365LL * DAY && not_before <= claim.now && not_before > claim.now - DAY);
    claim.key_pem = "no key";
    CHECK(certificate_check(&claim) == CERTIFICATE_FOREIGN_KEY);
    claim.key_pem = key;
    /* What lies in NVS may be what this release of mbedTLS does not read: of those to trust, that is no harm. */
    const certificate_item_t nothing = {.der = (const uint8_t *)"0", .size = 1, .roles = CERTIFICATE_TRUSTED};
    certificate_item_t items[3] = {nothing};
    CHECK(certificate_next(&certificate, CERTIFICATE_SENT, &items[1]));
    CHECK(certificate_next(&certificate, CERTIFICATE_TRUSTED, &items[2]));
    certificate_t with_nothing;
    CHECK(certificate_make(items, 3, &with_nothing));
    claim.certificate = &with_nothing;
    CHECK(certificate_check(&claim) == CERTIFICATE_OK);
    certificate_free(&with_nothing);
    items[1] = nothing;
    items[1].roles = CERTIFICATE_SENT;
    CHECK(certificate_make(items, 3, &with_nothing));
    CHECK(certificate_check(&claim) == CERTIFICATE_MALFORMED);
    CHECK(certificate_validity(&with_nothing, &not_before, &not_after) == CERTIFICATE_MALFORMED);
    certificate_free(&with_nothing);
    certificate_free(&certificate);
    free(crt);
    free(ca);
    free(key);
    for (int verdict = CERTIFICATE_OK; verdict <= CERTIFICATE_WRONG_CHAIN; verdict++) {
        CHECK(certificate_verdict_text((certificate_verdict_t)verdict)[0] != '\0');
    }
}

/* Whichever allocation fails, the certificate is as good as it was: nobody may throw it away. */
static void test_want_of_memory(const char *certificate, const char *ca_certificate)
{
    char *crt = load(certificate);
    char *ca = load(ca_certificate);
    char *key = load("device.key");
    certificate_t read = read_texts(crt, ca);
    const certificate_claim_t claim = {&read, key, "dev1", (int64_t)time(NULL)};
    unsigned long tried = 0;
    bool is_reached = true;
    /* Each of the parsers' allocations; of the thousands of the arithmetic behind them, some. */
    for (unsigned long at = 1; is_reached; at += 1 + at / 20) {
        s_fails_at = at;
        certificate_verdict_t verdict = certificate_check(&claim);
        is_reached = s_fails_at == 0;
        s_fails_at = 0;
        tried += is_reached;
        CHECK(verdict == CERTIFICATE_OK || verdict == CERTIFICATE_NO_MEMORY);
    }
    CHECK(tried > 100);
    certificate_free(&read);
    free(crt);
    free(ca);
    free(key);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    s_dir = argv[1];
    int64_t now = (int64_t)time(NULL);
    CHECK(check("device.crt", "ca.crt", "device.key") == CERTIFICATE_OK);
    CHECK(check("rsa.crt", "ca.crt", "rsa.key") == CERTIFICATE_OK);
    CHECK(check("chain.crt", "ca.crt", "device.key") == CERTIFICATE_OK);
    CHECK(check("device.crt", "both.crt", "device.key") == CERTIFICATE_OK);
    CHECK(check("below.crt", "ca.crt", "device.key") == CERTIFICATE_WRONG_CHAIN);
    CHECK(check("device.crt", "foreign.crt", "device.key") == CERTIFICATE_WRONG_CHAIN);
    CHECK(check("forgedchain.crt", "ca.crt", "device.key") == CERTIFICATE_WRONG_CHAIN);
    CHECK(check("othered.crt", "ca.crt", "device.key") == CERTIFICATE_FOREIGN_KEY);
    CHECK(check("device.crt", "ca.crt", "rsa.key") == CERTIFICATE_FOREIGN_KEY);
    CHECK(check("renamed.crt", "ca.crt", "device.key") == CERTIFICATE_WRONG_NAME);
    CHECK(check("prefixed.crt", "ca.crt", "device.key") == CERTIFICATE_WRONG_NAME);
    CHECK(check("server.crt", "ca.crt", "device.key") == CERTIFICATE_WRONG_USE);
    CHECK(check("agreeing.crt", "ca.crt", "device.key") == CERTIFICATE_WRONG_USE);
    CHECK(check("client.crt", "ca.crt", "device.key") == CERTIFICATE_OK);
    CHECK(check("any.crt", "ca.crt", "device.key") == CERTIFICATE_OK);
    CHECK(check("signing.crt", "ca.crt", "device.key") == CERTIFICATE_OK);
    CHECK(check_at("device.crt", "ca.crt", "device.key", now + 366LL * DAY) == CERTIFICATE_EXPIRED);
    CHECK(check_at("device.crt", "ca.crt", "device.key", now + 364LL * DAY) == CERTIFICATE_OK);
    CHECK(check_at("device.crt", "ca.crt", "device.key", now - DAY) == CERTIFICATE_NOT_YET_VALID);
    /* The skew between two clocks is forgiven, and a clock at 1970 is not. */
    CHECK(check_at("device.crt", "ca.crt", "device.key", now - 120) == CERTIFICATE_OK);
    CHECK(check_at("device.crt", "ca.crt", "device.key", 60) == CERTIFICATE_NOT_YET_VALID);
    test_others();
    test_want_of_memory("device.crt", "ca.crt");
    test_want_of_memory("chain.crt", "both.crt");
    return check_result("certificate_check");
}
