/*
 * What mbedTLS makes of pinned CAs, as a chip has it: its default profile and none but the curves that are built.
 * Two files for each CA: itself, and a server's certificate by it. One line each: "reads it", "trusts it".
 */
#include <stdbool.h>
#include <stdio.h>

#include <mbedtls/ecp.h>
#include <mbedtls/x509_crt.h>

#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member /* Mbed TLS 2 has no private members */
#endif

/* Mbed TLS 3's mbedtls_x509_crt_profile_default, of which 2.28's is wider. */
static const mbedtls_x509_crt_profile PROFILE = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    0xFFFFFFF,
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
    2048,
};

/* Without its curve a key is not parsed. */
static bool has_curve(const mbedtls_pk_context *key)
{
    if (!mbedtls_pk_can_do(key, MBEDTLS_PK_ECKEY)) {
        return true;
    }
    mbedtls_ecp_group_id curve = mbedtls_pk_ec(*key)->MBEDTLS_PRIVATE(grp).id;
    return (PROFILE.allowed_curves & MBEDTLS_X509_ID_FLAG(curve)) != 0;
}

static bool reads(mbedtls_x509_crt *certificates, const char *path)
{
    mbedtls_x509_crt_init(certificates);
    bool is_read = mbedtls_x509_crt_parse_file(certificates, path) == 0;
    for (const mbedtls_x509_crt *each = certificates; is_read && each != NULL; each = each->next) {
        is_read = has_curve(&each->pk);
    }
    return is_read;
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        mbedtls_x509_crt ca;
        mbedtls_x509_crt server;
        bool is_read = reads(&ca, argv[i]);
        uint32_t flags = 0;
        bool is_trusted =
            reads(&server, argv[i + 1]) && is_read &&
            mbedtls_x509_crt_verify_with_profile(&server, &ca, NULL, &PROFILE, NULL, &flags, NULL, NULL) == 0;
        printf("%d %d\n", is_read, is_trusted);
        mbedtls_x509_crt_free(&server);
        mbedtls_x509_crt_free(&ca);
    }
    return 0;
}
