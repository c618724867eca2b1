/**
 * What a device offers in TLS, which is less than mbedTLS has: TLS 1.2 with a fresh ECDH key and AES-GCM. From here come
 * the header that mbedTLS is built with, the lines of its sdkconfig, and how `prov doctor` and the manifest judge servers
 * and CAs.
 */

interface Suite {
  /** In mbedTLS, `MBEDTLS_TLS_…`. */
  readonly mbedtls: string;
  readonly openssl: string;
}

/** In the order in which the device would rather have them, mbedTLS's own. */
export const TLS_SUITES: readonly Suite[] = [
  { mbedtls: "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", openssl: "ECDHE-ECDSA-AES256-GCM-SHA384" },
  { mbedtls: "ECDHE_RSA_WITH_AES_256_GCM_SHA384", openssl: "ECDHE-RSA-AES256-GCM-SHA384" },
  { mbedtls: "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", openssl: "ECDHE-ECDSA-AES128-GCM-SHA256" },
  { mbedtls: "ECDHE_RSA_WITH_AES_128_GCM_SHA256", openssl: "ECDHE-RSA-AES128-GCM-SHA256" },
];

export interface Curve {
  /** As people call it. */
  readonly name: string;
  /** `CONFIG_MBEDTLS_ECP_DP_<symbol>_ENABLED`. */
  readonly symbol: string;
  /** As OpenSSL calls it, which is what Node.js says of a key. */
  readonly openssl: string;
  /** Whether it is there with `tls.allSuites` alone. */
  readonly isNarrowed: boolean;
  /** Whether a certificate's key may be on it: mbedTLS's default profile wants 128 bits; ESP-IDF 6 has none of less. */
  readonly isForCertificates: boolean;
}

/** Those of mbedTLS that ESP-IDF has an option for; some went with ESP-IDF 6. */
export const CURVES: readonly Curve[] = [
  curve("X25519", "CURVE25519", "X25519", { signs: false }),
  curve("P-256", "SECP256R1", "prime256v1"),
  curve("P-384", "SECP384R1", "secp384r1"),
  curve("P-521", "SECP521R1", "secp521r1"),
  curve("P-192", "SECP192R1", "prime192v1", { narrowed: true, signs: false }),
  curve("P-224", "SECP224R1", "secp224r1", { narrowed: true, signs: false }),
  curve("secp192k1", "SECP192K1", "secp192k1", { narrowed: true, signs: false }),
  curve("secp224k1", "SECP224K1", "secp224k1", { narrowed: true, signs: false }),
  curve("secp256k1", "SECP256K1", "secp256k1", { narrowed: true, signs: false }),
  curve("brainpoolP256r1", "BP256R1", "brainpoolP256r1", { narrowed: true }),
  curve("brainpoolP384r1", "BP384R1", "brainpoolP384r1", { narrowed: true }),
  curve("brainpoolP512r1", "BP512R1", "brainpoolP512r1", { narrowed: true }),
];

export function curveOption({ symbol }: Curve): string {
  return `CONFIG_MBEDTLS_ECP_DP_${symbol}_ENABLED`;
}

/** What only `tls.allSuites` leaves as ESP-IDF has it, which is on; without `CONFIG_MBEDTLS_`. */
export const NARROWED_OPTIONS = [
  "KEY_EXCHANGE_RSA",
  "KEY_EXCHANGE_ECDH_ECDSA",
  "KEY_EXCHANGE_ECDH_RSA",
  "CCM_C",
  "SSL_RENEGOTIATION",
] as const;

/** Of ESP-IDF's options for TLS those that would widen the offer, were the list of suites not closed. */
const WIDENING =
  /^CONFIG_(MBEDTLS_(KEY_EXCHANGE_(?!ECDHE_(RSA|ECDSA)$)\w+|PSK_MODES|DHM_C|ECJPAKE_C|CCM_C|CAMELLIA_C|ARIA_C|DES_C|CHACHA20_C|POLY1305_C|CHACHAPOLY_C|SSL_RENEGOTIATION|SSL_PROTO_TLS1_3)|ESP_TLS_PSK_VERIFICATION)$/;

/** Whether switching this on asks for more than the narrow offer has. */
export function widensOffer(option: string): boolean {
  const isCurve = CURVES.some((each) => each.isNarrowed && curveOption(each) === option);
  return isCurve || WIDENING.test(option);
}

/** mbedTLS offers no curve of less than 128 bits, nor secp256k1, though it may read keys on them. */
function isInHandshake({ symbol, isForCertificates }: Curve): boolean {
  return isForCertificates || symbol === "CURVE25519";
}

const OFFERED_HASHES = ["SHA512", "SHA384", "SHA256"];

/** What a device offers, in the terms of OpenSSL: to ask a server in its place. */
export function opensslOffer(allSuites: boolean) {
  const curves = CURVES.filter((each) => (allSuites ? isInHandshake(each) : !each.isNarrowed));
  const signatures = OFFERED_HASHES.flatMap((hash) => [
    `ECDSA+${hash}`,
    `rsa_pss_rsae_${hash.toLowerCase()}`,
    `RSA+${hash}`,
  ]);
  const suites = TLS_SUITES.map(({ openssl }) => openssl);
  return {
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    ciphers: (allSuites ? [...suites, "kECDHE+AES", "kRSA+AES"] : suites).join(":"),
    ecdhCurve: curves.map(({ openssl }) => openssl).join(":"),
    sigalgs: signatures.join(":"),
  } as const;
}

/** What `tls.dynamicBuffers` cannot be beside; Kconfig would drop the buffers without a word. */
export const AGAINST_DYNAMIC_BUFFERS: Readonly<Record<string, boolean>> = {
  // Of ESP-IDF before 5.5.
  CONFIG_MBEDTLS_SSL_PROTO_TLS1_3: true,
  CONFIG_MBEDTLS_SSL_PROTO_DTLS: true,
  CONFIG_MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH: true,
  CONFIG_MBEDTLS_ASYMMETRIC_CONTENT_LEN: false,
};

/** Where the generated header is committed, relative to the project root. */
export const MBEDTLS_CONFIG_PATH = "firmware/mbedtls_user_config.h";

/** What mbedTLS is built with and Kconfig cannot say: esp_config.h includes it as MBEDTLS_USER_CONFIG_FILE. */
export function emitMbedtlsConfig(): string {
  const suites = TLS_SUITES.map(({ mbedtls }) => `    MBEDTLS_TLS_${mbedtls}`);
  return `/* Generated by codegen/tls-offer.ts. Do not edit. What mbedTLS is built with and Kconfig cannot say. */
#pragma once

#ifndef CONFIG_PROV_TLS_ALL_SUITES
#define MBEDTLS_SSL_CIPHERSUITES \\
${suites.join(", \\\n")}
/* No option takes away ARIA from ESP-IDF 5, nor X448 from ESP-IDF 6. */
#undef MBEDTLS_ARIA_C
#undef PSA_WANT_ECC_MONTGOMERY_448
#endif
`;
}

function curve(
  name: string,
  symbol: string,
  openssl: string,
  { narrowed = false, signs = true }: { narrowed?: boolean; signs?: boolean } = {},
): Curve {
  return { name, symbol, openssl, isNarrowed: narrowed, isForCertificates: signs };
}
