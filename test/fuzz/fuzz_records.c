/* What lies in NVS, which nobody vouches for: a record that decodes encodes to the same bytes. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[PROV_RECORD_MAX];
    uint8_t *record = malloc(size > 0 ? size : 1);
    MUST(record != NULL);
    memcpy(record, data, size);
    CHECK_RECORD(wifi, wifi_credentials_t);
    CHECK_RECORD(enrolment, enrolment_t);
    CHECK_RECORD(provisioning, provisioning_t);

    certificate_t certificate;
    if (certificate_adopt(record, size, &certificate)) { /* which owns the record, or has freed it */
        certificate_t copy;
        bool fits = strlen(certificate.certificate_pem) <= PROV_PEM_MAX && strlen(certificate.ca_pem) <= PROV_PEM_MAX;
        MUST(certificate_make(certificate.certificate_pem, certificate.ca_pem, &copy) == fits);
        if (fits) {
            MUST(copy.record_size == size && memcmp(copy.record, data, size) == 0);
            certificate_free(&copy);
        }
        certificate_free(&certificate);
    } else {
        MUST(certificate.record == NULL && certificate.certificate_pem == NULL);
    }
    return 0;
}
