/* The WPA2 pairwise master key. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_PMK_LEN 32

/**
 * PBKDF2-HMAC-SHA1(passphrase, ssid, 4096, 32), IEEE 802.11-2020 J.4; 64 hex digits are the key
 * itself. @return false when the passphrase is neither 8 to 63 bytes nor 64 hex digits.
 */
bool host_pmk_derive(const char *passphrase, const char *ssid, uint8_t pmk[HOST_PMK_LEN]);
/** Read 64 hex digits. */
bool host_pmk_from_hex(const char *hex, uint8_t pmk[HOST_PMK_LEN]);
/** Write 64 hex digits and a terminator. */
void host_pmk_to_hex(const uint8_t pmk[HOST_PMK_LEN], char hex[2 * HOST_PMK_LEN + 1]);
