#include "host_chip_tls.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mbedtls/ecp.h"
#include "mbedtls/oid.h"
#include "mbedtls/version.h"
#include "mbedtls/x509_crt.h"
#include "mbedtls_user_config.h"

/* CMakeLists.txt has sdkconfig.h included before, where there is one; else the device is one whose manifest says nothing. */
#ifndef CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN
#define CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN 8192
#define CONFIG_MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA 1
#define CONFIG_MBEDTLS_KEY_EXCHANGE_ECDHE_RSA 1
#define CONFIG_MBEDTLS_ECP_DP_CURVE25519_ENABLED 1
#define CONFIG_MBEDTLS_ECP_DP_SECP384R1_ENABLED 1
#define CONFIG_MBEDTLS_ECP_DP_SECP521R1_ENABLED 1
#endif

const size_t host_chip_tls_out_max = CONFIG_MBEDTLS_SSL_OUT_CONTENT_LEN;

/* In the order of Mbed TLS 3's ssl_preset_default_groups. */
static const mbedtls_ecp_group_id GROUPS[] = {
#ifdef CONFIG_MBEDTLS_ECP_DP_CURVE25519_ENABLED
    MBEDTLS_ECP_DP_CURVE25519,
#endif
    MBEDTLS_ECP_DP_SECP256R1,
#ifdef CONFIG_MBEDTLS_ECP_DP_SECP384R1_ENABLED
    MBEDTLS_ECP_DP_SECP384R1,
#endif
#ifdef CONFIG_MBEDTLS_ECP_DP_SECP521R1_ENABLED
    MBEDTLS_ECP_DP_SECP521R1,
#endif
#ifdef CONFIG_PROV_TLS_ALL_SUITES
    MBEDTLS_ECP_DP_BP256R1,
    MBEDTLS_ECP_DP_BP384R1,
    MBEDTLS_ECP_DP_BP512R1,
#endif
    MBEDTLS_ECP_DP_NONE,
};

/* Parts of the names of suites that ESP-IDF does not build. */
static const char *const ABSENT[] = {
#ifndef CONFIG_MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA
    "-ECDHE-ECDSA-",
#endif
#ifndef CONFIG_MBEDTLS_KEY_EXCHANGE_ECDHE_RSA
    "-ECDHE-RSA-",
#endif
    "-DHE-", "PSK", "ECJPAKE", "NULL", "RC4", "3DES", "CAMELLIA", "CHACHA20",
};

static bool is_built(int suite)
{
    const char *name = mbedtls_ssl_get_ciphersuite_name(suite);
    for (size_t i = 0; i < sizeof ABSENT / sizeof ABSENT[0]; i++) {
        if (strstr(name, ABSENT[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static int s_suites[256]; /* 2.28 has 130 */
static pthread_once_t s_suites_once = PTHREAD_ONCE_INIT;

static void list_suites(void)
{
#ifdef MBEDTLS_SSL_CIPHERSUITES
    static const int wanted[] = {MBEDTLS_SSL_CIPHERSUITES, 0};
#else
    const int *wanted = mbedtls_ssl_list_ciphersuites();
#endif
    size_t count = 0;
    for (size_t i = 0; wanted[i] != 0 && count < sizeof s_suites / sizeof s_suites[0] - 1; i++) {
        if (is_built(wanted[i])) {
            s_suites[count++] = wanted[i];
        }
    }
}

/* Mbed TLS 3's default. A key on a curve that is not built cannot be read at all. */
static const mbedtls_x509_crt_profile PROFILE = {
    .allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
                   MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    .allowed_pks = 0xFFFFFFF,
    .allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
                      MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP256R1) |
                      MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP384R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_BP512R1),
    .rsa_min_bitlen = 2048,
};

void host_chip_tls_narrow(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    pthread_once(&s_suites_once, list_suites);
    mbedtls_ssl_conf_ciphersuites(config, s_suites);
    mbedtls_ssl_conf_curves(config, GROUPS);
    mbedtls_ssl_conf_cert_profile(config, &PROFILE);
#if MBEDTLS_VERSION_MAJOR < 3
    static const int hashes[] = {MBEDTLS_MD_SHA512, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE};
    mbedtls_ssl_conf_sig_hashes(config, hashes);
#endif
}

/* The linker puts it in the place of mbedTLS' own; see CMakeLists.txt. */
int __real_mbedtls_oid_get_ec_grp(const mbedtls_asn1_buf *oid, mbedtls_ecp_group_id *group);
int __wrap_mbedtls_oid_get_ec_grp(const mbedtls_asn1_buf *oid, mbedtls_ecp_group_id *group);

/* A key on a curve that is not built cannot be parsed, whoever has it. */
int __wrap_mbedtls_oid_get_ec_grp(const mbedtls_asn1_buf *oid, mbedtls_ecp_group_id *group)
{
    int code = __real_mbedtls_oid_get_ec_grp(oid, group);
    for (size_t i = 0; code == 0 && GROUPS[i] != MBEDTLS_ECP_DP_NONE; i++) {
        if (GROUPS[i] == *group) {
            return 0;
        }
    }
    return MBEDTLS_ERR_OID_NOT_FOUND;
}
