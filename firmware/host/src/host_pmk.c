#include "host_pmk.h"

#include <openssl/evp.h>
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

bool host_pmk_derive(const char *passphrase, const char *ssid, uint8_t pmk[HOST_PMK_LEN])
{
    size_t length = strlen(passphrase);
    if (host_pmk_from_hex(passphrase, pmk)) {
        return true;
    }
    if (length < PASSPHRASE_MIN || length > PASSPHRASE_MAX) {
        return false;
    }
    return PKCS5_PBKDF2_HMAC_SHA1(passphrase, (int)length, (const unsigned char *)ssid,
                                  (int)strlen(ssid), ROUNDS, HOST_PMK_LEN, pmk) == 1;
}
