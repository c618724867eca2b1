#include "host_chip_tls.h"

#include <stdlib.h>

#include "mbedtls/ecp.h"
#include "mbedtls/oid.h"
#include "mbedtls/version.h"
#include "mbedtls/x509_crt.h"

static const int SUITES[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    0,
};
static const mbedtls_ecp_group_id GROUPS[] = {
    MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
    MBEDTLS_ECP_DP_SECP521R1,  MBEDTLS_ECP_DP_NONE,
};

/* Mbed TLS 3's default. */
static const mbedtls_x509_crt_profile PROFILE = {
    .allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
                   MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    .allowed_pks = 0xFFFFFFF,
    .allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) |
                      MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
                      MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
    .rsa_min_bitlen = 2048,
};

void host_chip_tls_narrow(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_ciphersuites(config, SUITES);
    mbedtls_ssl_conf_curves(config, GROUPS);
    mbedtls_ssl_conf_cert_profile(config, &PROFILE);
#if MBEDTLS_VERSION_MAJOR < 3
    static const int hashes[] = {MBEDTLS_MD_SHA512, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE};
    mbedtls_ssl_conf_sig_hashes(config, hashes);
#endif
}

#if MBEDTLS_VERSION_MAJOR < 3
/* Where 3.x has several for one of 2.28, the one that a server can bring about. */
static const struct {
    int code;
    int is_called;
} RENAMED[] = {
    {MBEDTLS_ERR_SSL_CERTIFICATE_TOO_LARGE, MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_HELLO, -0x6600 /* ILLEGAL_PARAMETER */},
};
#endif

int host_chip_tls_code(int code)
{
#if MBEDTLS_VERSION_MAJOR < 3
    for (size_t i = 0; i < sizeof RENAMED / sizeof RENAMED[0]; i++) {
        if (RENAMED[i].code == code) {
            return -RENAMED[i].is_called;
        }
    }
#endif
    return -code;
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
