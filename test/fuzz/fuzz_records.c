/* What lies in NVS, which nobody vouches for: a record that decodes encodes to the same bytes. */
#include "certificate_pem.h"
#include "certificate_read.h"
#include "fuzz.h"
#include "prov_records.h"

#define CHECK_RECORD(name, type)                                                    \
    do {                                                                            \
        static type value_;                                                         \
        static const type NOTHING_;                                                 \
        memset(&value_, 0xa5, sizeof value_);                                       \
        if (name##_record_decode(record, size, &value_)) {                          \
            MUST(name##_record_encode(&value_, again, sizeof again) == size);       \
            MUST(memcmp(again, record, size) == 0);                                 \
            MUST(name##_record_encode(&value_, again, size - 1) == 0);              \
        } else {                                                                    \
            MUST(memcmp(&value_, &NOTHING_, sizeof value_) == 0);                   \
        }                                                                           \
    } while (0)

/** Its parts, put together, are the record. */
static void check_again(const certificate_t *certificate)
{
    static certificate_item_t items[65536];
    certificate_item_t item = {0};
    size_t count = 0;
    while (count < sizeof items / sizeof items[0] && certificate_next(certificate, CERTIFICATE_SENT | CERTIFICATE_TRUSTED, &item)) {
        items[count++] = item;
    }
    certificate_t again;
    MUST(certificate_make(items, count, &again));
    MUST(again.record_size == certificate->record_size &&
         memcmp(again.record, certificate->record, again.record_size) == 0);
    certificate_free(&again);
    char *pem = pem_of_certificates(certificate, CERTIFICATE_TRUSTED);
    MUST(pem != NULL && strlen(pem) > 0);
    free(pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[PROV_RECORD_MAX];
    uint8_t *record = malloc(size > 0 ? size : 1);
    MUST(record != NULL);
    memcpy(record, data, size);
    CHECK_RECORD(wifi, wifi_credentials_t);
    CHECK_RECORD(enrolment, enrolment_t);
    CHECK_RECORD(provisioning, provisioning_t);

    char *certificate_pem;
    char *ca_pem;
    if (certificate_texts(record, size, &certificate_pem, &ca_pem)) {
        certificate_reading_t reading;
        if (certificate_read(certificate_pem, ca_pem, &reading) == CERTIFICATE_OK) {
            certificate_free(&reading.certificate);
        }
        free(record);
        return 0;
    }
    certificate_t certificate;
    if (certificate_adopt(record, size, &certificate)) { /* which owns the record, or has freed it */
        check_again(&certificate);
        certificate_free(&certificate);
    } else {
        MUST(certificate.record == NULL);
    }
    return 0;
}
