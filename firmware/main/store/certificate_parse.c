#include "certificate_parse.h"

#include "mbedtls/version.h"
#if MBEDTLS_VERSION_MAJOR >= 4
#include "psa/crypto.h"
#endif

/* Numbers, since mbedTLS 4 keeps the headers of most to itself; the last one is its PSA_ERROR_INSUFFICIENT_MEMORY. */
#define X509_ALLOC_FAILED 0x2880
#define PK_ALLOC_FAILED 0x3f80
#define PEM_ALLOC_FAILED 0x1180
#define ECP_ALLOC_FAILED 0x4d80
#define MPI_ALLOC_FAILED 0x0010
#define ASN1_ALLOC_FAILED 0x006a
#define INSUFFICIENT_MEMORY 141

/** Codes are of two parts, the lower of which may say more than the upper one. */
static bool is_want_of_memory(int code)
{
    int upper = -code & 0xff80;
    int lower = -code & 0x007f;
    return upper == X509_ALLOC_FAILED || upper == PK_ALLOC_FAILED || upper == PEM_ALLOC_FAILED ||
           upper == ECP_ALLOC_FAILED || lower == MPI_ALLOC_FAILED || lower == ASN1_ALLOC_FAILED ||
           -code == INSUFFICIENT_MEMORY;
}

certificate_verdict_t certificate_verdict_of(int code, certificate_verdict_t otherwise)
{
    return code == 0 ? CERTIFICATE_OK : is_want_of_memory(code) ? CERTIFICATE_NO_MEMORY : otherwise;
}

certificate_verdict_t certificate_parse(mbedtls_x509_crt *chain, const uint8_t *der, size_t size)
{
#if MBEDTLS_VERSION_MAJOR >= 4
    if (psa_crypto_init() != PSA_SUCCESS) {
        return CERTIFICATE_NO_MEMORY;
    }
#endif
    return certificate_verdict_of(mbedtls_x509_crt_parse_der_nocopy(chain, der, size), CERTIFICATE_MALFORMED);
}
