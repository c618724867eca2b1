#include "ssid_digest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mbedtls/md.h"
#include "mbedtls/version.h"
#include "prov_records.h"
#if MBEDTLS_VERSION_MAJOR >= 4
#include "psa/crypto.h"
#endif

#define SHA256_BYTES 32

/** The one way to a hash that mbedTLS 2.28, 3.x and 4.x have in common; in 4.x PSA is behind it. */
static bool sha256(const unsigned char *text, size_t size, unsigned char digest[SHA256_BYTES])
{
#if MBEDTLS_VERSION_MAJOR >= 4
    if (psa_crypto_init() != PSA_SUCCESS) {
        return false;
    }
#endif
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    return info != NULL && mbedtls_md(info, text, size, digest) == 0;
}

void ssid_digest(const char *device_id, const char *ssid, char out[SSID_DIGEST_LENGTH + 1])
{
    unsigned char text[PROV_DEVICE_ID_MAX + 1 + PROV_SSID_MAX];
    unsigned char digest[SHA256_BYTES];
    size_t id_length = strnlen(device_id, PROV_DEVICE_ID_MAX);
    size_t ssid_length = strnlen(ssid, PROV_SSID_MAX);
    memcpy(text, device_id, id_length);
    text[id_length] = '\0';
    memcpy(text + id_length + 1, ssid, ssid_length);
    out[0] = '\0';
    if (!sha256(text, id_length + 1 + ssid_length, digest)) {
        return;
    }
    for (int i = 0; i < SSID_DIGEST_LENGTH / 2; i++) {
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}
