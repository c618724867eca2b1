/* What PKIs print, and in what order it is kept. */
#include <ctype.h>

#include "certificate_pem.h"
#include "certificate_read.h"
#include "check.h"
#include "files.h"

/** The texts of the files named, one behind the other; names are separated by a blank. */
static char *texts_of(const char *names)
{
    char *all = calloc(1, 65536);
    char copy[256];
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " ")) {
        char file[64];
        snprintf(file, sizeof file, "%s.crt", name);
        char *text = load(file);
        strcat(all, text);
        free(text);
    }
    return all;
}

static certificate_verdict_t read_names(const char *own, const char *ca, certificate_reading_t *reading)
{
    char *own_text = texts_of(own);
    char *ca_text = texts_of(ca);
    certificate_verdict_t verdict = certificate_read(own_text, ca_text, reading);
    free(own_text);
    free(ca_text);
    return verdict;
}

/** What has `role`, as PEM, is the files named, whatever form they had. */
static void check_role(const char *what, const certificate_t *certificate, uint8_t role, const char *names)
{
    char *pem = pem_of_certificates(certificate, role);
    char *expected = texts_of(names);
    char *at = pem;
    char *wanted = expected;
    const uint8_t *der[2];
    size_t size[2];
    while (pem_take(&wanted, &der[1], &size[1]) == PEM_CERTIFICATE) {
        bool is_there = pem_take(&at, &der[0], &size[0]) == PEM_CERTIFICATE;
        CHECK_CASE(is_there && size[0] == size[1] && memcmp(der[0], der[1], size[0]) == 0, what);
    }
    CHECK_CASE(pem_take(&at, &der[0], &size[0]) == PEM_END, what);
    free(pem);
    free(expected);
}

/** `certificate`, `ca_certificate`, and what becomes of them. */
static const struct {
    const char *own;
    const char *ca;
    const char *sent;
    const char *trusted;
} ORDERS[] = {
    {"device", "ca", "device", "ca"},
    {"deep lower middle", "ca", "deep lower middle", "ca"},
    {"middle lower deep", "ca", "deep lower middle", "ca"},
    {"lower deep middle ca", "ca", "deep lower middle ca", "ca"},
    {"deep", "lower middle ca", "deep lower middle", "lower middle ca"},
    {"deep", "ca middle lower", "deep lower middle", "lower middle ca"},
    {"deep lower", "ca middle", "deep lower middle", "middle ca"},
    {"deep deep lower", "ca ca middle lower", "deep lower middle", "lower middle ca"},
    {"below", "middle", "below middle", "middle"},
    {"below middle crossed", "ca foreign", "below middle crossed", "ca foreign"},
    {"below lower middle", "ca", "below middle lower", "ca"},
    {"below stray middle", "ca", "below middle stray", "ca"},
    {"below", "foreign crossed middle ca", "below crossed middle", "crossed middle foreign ca"},
    {"device foreign", "ca", "device foreign", "ca"},
    {"device", "both", "device", "both"},
    {"ca", "ca", "ca", "ca"},
};

static void test_orders(void)
{
    for (size_t i = 0; i < sizeof ORDERS / sizeof ORDERS[0]; i++) {
        certificate_reading_t reading;
        CHECK_CASE(read_names(ORDERS[i].own, ORDERS[i].ca, &reading) == CERTIFICATE_OK, ORDERS[i].own);
        check_role(ORDERS[i].own, &reading.certificate, CERTIFICATE_SENT, ORDERS[i].sent);
        check_role(ORDERS[i].own, &reading.certificate, CERTIFICATE_TRUSTED, ORDERS[i].trusted);
        CHECK(reading.flaw[0] == '\0' && reading.passed_over == 0);
        certificate_free(&reading.certificate);
    }
}

/** Writes the device's certificate in another form of PEM. */
static void test_form(const char *what, void (*form)(const char *pem, char *out), bool is_read)
{
    static char text[65536];
    char *pem = load("device.crt");
    char *ca = load("ca.crt");
    certificate_reading_t reading;
    memset(text, 0, sizeof text);
    form(pem, text);
    certificate_verdict_t verdict = certificate_read(text, ca, &reading);
    CHECK_CASE((verdict == CERTIFICATE_OK) == is_read, what);
    if (verdict == CERTIFICATE_OK) {
        check_role(what, &reading.certificate, CERTIFICATE_SENT, "device");
        certificate_free(&reading.certificate);
    }
    free(pem);
    free(ca);
}

static void replace_line_ends(const char *pem, char *out, const char *by)
{
    for (; *pem != '\0'; pem++) {
        if (*pem == '\n') {
            out += sprintf(out, "%s", by);
        } else {
            *out++ = *pem;
        }
    }
}

static void as_crlf(const char *pem, char *out)
{
    replace_line_ends(pem, out, "\r\n");
}
static void as_one_line(const char *pem, char *out)
{
    replace_line_ends(pem, out, "");
}
static void with_blanks(const char *pem, char *out)
{
    replace_line_ends(pem, out, " \t\n\n  ");
}
static void escaped_twice(const char *pem, char *out)
{
    replace_line_ends(pem, out, "\\n");
}
static void glued(const char *pem, char *out)
{
    replace_line_ends(pem, out, "");
    replace_line_ends(pem, out + strlen(out), "");
}
static void between_text(const char *pem, char *out)
{
    sprintf(out, "Bag Attributes\n    localKeyID: 01\nsubject=CN = dev1\n%sMore -----text\n", pem);
}
static void beside_others(const char *pem, char *out)
{
    sprintf(out, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n%s"
                 "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", pem);
}
static void with_older_name(const char *pem, char *out)
{
    const char *body = strchr(pem, '\n');
    const char *end = strstr(pem, "-----END");
    sprintf(out, "-----BEGIN X509 CERTIFICATE-----%.*s-----END X509 CERTIFICATE-----\n", (int)(end - body), body);
}
static void without_end(const char *pem, char *out)
{
    sprintf(out, "%.*s", (int)(strstr(pem, "-----END") - pem), pem);
}
static void with_a_star(const char *pem, char *out)
{
    sprintf(out, "%s", pem);
    out[100] = '*';
}
static void without_armor(const char *pem, char *out)
{
    const char *body = strchr(pem, '\n');
    sprintf(out, "%.*s", (int)(strstr(pem, "-----END") - body), body);
}
static void with_a_broken_one(const char *pem, char *out)
{
    sprintf(out, "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", pem);
}

static void test_forms(void)
{
    test_form("CRLF", as_crlf, true);
    test_form("one line", as_one_line, true);
    test_form("blanks", with_blanks, true);
    test_form("glued", glued, true);
    test_form("text around", between_text, true);
    test_form("other blocks", beside_others, true);
    test_form("X509 CERTIFICATE", with_older_name, true);
    test_form("escaped twice", escaped_twice, false);
    test_form("no end", without_end, false);
    test_form("no base64", with_a_star, false);
    test_form("no armor", without_armor, false);
    test_form("a broken one behind", with_a_broken_one, false);
}

static void check_flaw(const char *own, const char *ca, const char *flaw)
{
    certificate_reading_t reading;
    char *own_text = strchr(own, '-') != NULL || own[0] == '\0' ? strdup(own) : texts_of(own);
    char *ca_text = strchr(ca, '-') != NULL || ca[0] == '\0' ? strdup(ca) : texts_of(ca);
    CHECK(certificate_read(own_text, ca_text, &reading) == CERTIFICATE_MALFORMED);
    CHECK_TEXT(reading.flaw, flaw);
    CHECK(reading.certificate.record == NULL);
    free(own_text);
    free(ca_text);
}

static void test_flaws(void)
{
    static const char BROKEN[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check_flaw("", "ca", "certificate: no PEM block in it");
    check_flaw("device", "", "ca_certificate: no PEM block in it");
    check_flaw(BROKEN, "ca", "certificate: PEM block 1 cannot be read");
    check_flaw("device modern", "ca", "certificate: PEM block 2 cannot be read");
    check_flaw("device", BROKEN, "ca_certificate: no PEM block can be read");
    check_flaw("device", "modern", "ca_certificate: no PEM block can be read");
}

/** Of those to trust, what mbedTLS cannot read is none, and named. */
static void test_bundle(void)
{
    certificate_reading_t reading;
    CHECK(read_names("device", "modern ca modern", &reading) == CERTIFICATE_OK);
    CHECK(reading.passed_over == 5);
    check_role("a bundle", &reading.certificate, CERTIFICATE_TRUSTED, "ca");
    certificate_free(&reading.certificate);
}

/** A certificate of any size: the extension that nobody knows is as long as it takes. */
static void test_sizes(void)
{
    char *own = load("exact.crt");
    char *ca = load("ca.crt");
    certificate_reading_t reading;
    CHECK(certificate_read(own, ca, &reading) == CERTIFICATE_OK);
    CHECK(reading.certificate.record_size == 1 + 2 * 3 + PROV_CERTIFICATES_MAX);
    certificate_free(&reading.certificate);
    free(own);
    own = load("over.crt");
    free(ca);
    ca = load("ca.crt");
    CHECK(certificate_read(own, ca, &reading) == CERTIFICATE_MALFORMED);
    unsigned of_own = 0;
    unsigned of_ca = 0;
    CHECK(sscanf(reading.flaw, "certificate %u + ca_certificate %u bytes of DER, 7000 allowed", &of_own, &of_ca) == 2);
    CHECK(of_own + of_ca == PROV_CERTIFICATES_MAX + 1);
    free(own);
    free(ca);
}

/** No record that was not made whole is taken. */
static void test_torn(void)
{
    certificate_reading_t reading;
    CHECK(read_names("deep lower middle", "ca", &reading) == CERTIFICATE_OK);
    const certificate_t *whole = &reading.certificate;
    for (size_t cut = 0; cut <= whole->record_size; cut++) {
        certificate_t taken;
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        memcpy(copy, whole->record, cut);
        bool is_taken = certificate_adopt(copy, cut, &taken);
        CHECK(is_taken == (cut == whole->record_size));
        certificate_free(&taken);
    }
    certificate_free(&reading.certificate);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    s_dir = argv[1];
    test_orders();
    test_forms();
    test_flaws();
    test_bundle();
    test_sizes();
    test_torn();
    return check_result("certificate_read");
}
