#include <stdlib.h>

#include "check.h"
#include "prov_records.h"

static provisioning_t full(void)
{
    provisioning_t prov;
    memset(&prov, 0, sizeof prov);
    memset(prov.wifi.ssid, 's', PROV_SSID_MAX);
    memset(prov.wifi.password, 'p', PROV_PASSWORD_MAX);
    memset(prov.enrol.token, 't', PROV_TOKEN_MAX);
    memset(prov.enrol.bearer, 'b', PROV_BEARER_MAX);
    memset(prov.enrol.attempt_id, 'i', PROV_ATTEMPT_ID_MAX);
    return prov;
}

static void test_round_trips(void)
{
    static uint8_t record[PROV_RECORD_MAX];
    provisioning_t in = full();
    provisioning_t out;
    size_t size = provisioning_record_encode(&in, record, sizeof record);
    CHECK(size > 0);
    CHECK(provisioning_record_decode(record, size, &out) && memcmp(&in, &out, sizeof in) == 0);
    wifi_credentials_t wifi;
    size = wifi_record_encode(&in.wifi, record, sizeof record);
    CHECK(wifi_record_decode(record, size, &wifi) && memcmp(&wifi, &in.wifi, sizeof wifi) == 0);
    enrolment_t enrol;
    size = enrolment_record_encode(&in.enrol, record, sizeof record);
    CHECK(enrolment_record_decode(record, size, &enrol) && memcmp(&enrol, &in.enrol, sizeof enrol) == 0);
    CHECK(wifi_record_encode(&in.wifi, record, 10) == 0);
}

/** No prefix, no extension and no other version of a record decodes; nothing half-read is left. */
static void test_torn(void)
{
    static uint8_t record[PROV_RECORD_MAX + 1];
    static const wifi_credentials_t EMPTY;
    wifi_credentials_t in = full().wifi;
    wifi_credentials_t out;
    size_t size = wifi_record_encode(&in, record, PROV_RECORD_MAX);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        memcpy(copy, record, cut);
        memset(&out, 0xff, sizeof out);
        CHECK(!wifi_record_decode(copy, cut, &out) && memcmp(&out, &EMPTY, sizeof out) == 0);
        free(copy);
    }
    record[size] = 0;
    CHECK(!wifi_record_decode(record, size + 1, &out));
    record[0] = 2;
    CHECK(!wifi_record_decode(record, size, &out));
    record[0] = 1;
    record[1 + 2 + 3] = 0; /* a NUL inside a text */
    CHECK(!wifi_record_decode(record, size, &out));
    memset(record, 0xff, sizeof record);
    CHECK(!wifi_record_decode(record, sizeof record, &out));
    /* A text that is too long for its field. */
    provisioning_t prov = full();
    size = provisioning_record_encode(&prov, record, PROV_RECORD_MAX);
    CHECK(!wifi_record_decode(record, size, &out));
}

/** Spending the token in the record is the same as spending it in the struct, and leaves nothing of it behind. */
static void test_spends(void)
{
    static uint8_t record[PROV_RECORD_MAX];
    static uint8_t expected[PROV_RECORD_MAX];
    enrolment_t enrol = full().enrol;
    size_t size = enrolment_record_encode(&enrol, record, sizeof record);
    size_t left = size;
    memset(enrol.token, 0, sizeof enrol.token);
    size_t spent = enrolment_record_encode(&enrol, expected, sizeof expected);
    CHECK(enrolment_record_spend(record, &left));
    CHECK(left == spent && memcmp(record, expected, spent) == 0);
    CHECK(memchr(record + left, 't', size - left) == NULL);
    CHECK(!enrolment_record_spend(record, &left) && left == spent); /* there is none any more */
    for (size_t cut = 0; cut < 5; cut++) {
        uint8_t *torn = malloc(cut > 0 ? cut : 1);
        memcpy(torn, "\1\5\0tok", cut);
        left = cut;
        CHECK(!enrolment_record_spend(torn, &left) && left == cut);
        free(torn);
    }
}

/** As a device of 0.1.0 keeps its certificate and its CA. */
static void test_texts(void)
{
    static const char RECORD[] = "\1\5\0leaf\0\3\0ca";
    uint8_t *record = malloc(sizeof RECORD);
    char *own;
    char *ca;
    for (size_t cut = 0; cut < sizeof RECORD; cut++) {
        memcpy(record, RECORD, sizeof RECORD);
        CHECK(!certificate_texts(record, cut, &own, &ca));
    }
    CHECK(certificate_texts(record, sizeof RECORD, &own, &ca));
    CHECK_TEXT(own, "leaf");
    CHECK_TEXT(ca, "ca");
    record[0] = 2;
    CHECK(!certificate_texts(record, sizeof RECORD, &own, &ca));
    free(record);
}

int main(void)
{
    test_round_trips();
    test_torn();
    test_spends();
    test_texts();
    return check_result("records");
}
