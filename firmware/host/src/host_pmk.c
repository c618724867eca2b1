#include "host_pmk.h"

#include <mbedtls/pkcs5.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSPHRASE_MIN 8
#define PASSPHRASE_MAX 63
#define ROUNDS 4096

bool host_pmk_from_hex(const char *hex, uint8_t pmk[HOST_PMK_LEN])
{
    size_t digits = 2 * HOST_PMK_LEN;
    if (strlen(hex) != digits || strspn(hex, "0123456789abcdefABCDEF") != digits) {
        return false;
    }
    for (size_t i = 0; i < HOST_PMK_LEN; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        pmk[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return true;
}

void host_pmk_to_hex(const uint8_t pmk[HOST_PMK_LEN], char hex[2 * HOST_PMK_LEN + 1])
{
    for (size_t i = 0; i < HOST_PMK_LEN; i++) {
        snprintf(hex + 2 * i, 3, "%02x", pmk[i]);
    }
}

#if MBEDTLS_VERSION_NUMBER >= 0x03030000
static bool pbkdf2(const uint8_t *passphrase, size_t length, const char *ssid, uint8_t pmk[HOST_PMK_LEN])
{
    return mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA1, passphrase, length, (const uint8_t *)ssid, strlen(ssid),
                                         ROUNDS, HOST_PMK_LEN, pmk) == 0;
}
#else
static bool pbkdf2(const uint8_t *passphrase, size_t length, const char *ssid, uint8_t pmk[HOST_PMK_LEN])
{
    mbedtls_md_context_t hmac;
    mbedtls_md_init(&hmac);
    bool is_derived = mbedtls_md_setup(&hmac, mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), 1) == 0 &&
                      mbedtls_pkcs5_pbkdf2_hmac(&hmac, passphrase, length, (const uint8_t *)ssid, strlen(ssid),
                                                ROUNDS, HOST_PMK_LEN, pmk) == 0;
    mbedtls_md_free(&hmac);
    return is_derived;
}
#endif

bool host_pmk_derive(const char *passphrase, const char *ssid, uint8_t pmk[HOST_PMK_LEN])
{
    size_t length = strlen(passphrase);
    if (host_pmk_from_hex(passphrase, pmk)) {
        return true;
    }
    return length >= PASSPHRASE_MIN && length <= PASSPHRASE_MAX &&
           pbkdf2((const uint8_t *)passphrase, length, ssid, pmk);
}
