/** Releases of ESP-IDF that the firmware is built for; one of each line that differs in its options. */
export const IDF_RELEASES = [5, 5.5, 6, 6.1] as const;

/**
 * The options of ESP-IDF that codegen names which some of these releases do not have: those that have each. All else has
 * to be in all of them. `test/interop/kconfig-tls.test.ts` compares it with the sources of one.
 */
export const PARTIAL_OPTIONS: Readonly<Record<string, readonly number[]>> = {
  ESP_WIFI_ENABLED: [5.5, 6, 6.1],
  LWIP_IPV4: [5.5, 6, 6.1],
  MBEDTLS_ECP_DP_SECP192K1_ENABLED: [5, 5.5],
  MBEDTLS_ECP_DP_SECP192R1_ENABLED: [5, 5.5],
  MBEDTLS_ECP_DP_SECP224K1_ENABLED: [5, 5.5],
  MBEDTLS_ECP_DP_SECP224R1_ENABLED: [5, 5.5],
  MBEDTLS_KEY_EXCHANGE_ECDH_ECDSA: [5, 5.5],
  MBEDTLS_KEY_EXCHANGE_ECDH_RSA: [5, 5.5],
};
