#include "host_mbedtls_3.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "mbedtls/version.h"
#include "mbedtls/x509_crt.h"

#define SAN_IP_ADDRESS 7 /* GeneralName, RFC 5280, 4.2.1.6 */

typedef int (*verifier_t)(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);

/* The linker puts the second in the place of the first; see CMakeLists.txt. */
int __real_mbedtls_x509_crt_verify_restartable(mbedtls_x509_crt *chain, mbedtls_x509_crt *trusted,
                                               mbedtls_x509_crl *revoked, const mbedtls_x509_crt_profile *profile,
                                               const char *name, uint32_t *flags, verifier_t verifier,
                                               void *context, mbedtls_x509_crt_restart_ctx *restart);
int __wrap_mbedtls_x509_crt_verify_restartable(mbedtls_x509_crt *chain, mbedtls_x509_crt *trusted,
                                               mbedtls_x509_crl *revoked, const mbedtls_x509_crt_profile *profile,
                                               const char *name, uint32_t *flags, verifier_t verifier,
                                               void *context, mbedtls_x509_crt_restart_ctx *restart);

#if MBEDTLS_VERSION_MAJOR < 3
/* 2.28 has a code for each message that is wrong, 3.x one for what is wrong with it; the alert is the same. */
static const struct {
    unsigned char alert;
    int code;
} RENAMED[] = {
    {MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, 0x7300},      /* MBEDTLS_ERR_SSL_DECODE_ERROR */
    {MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER, 0x6600}, /* MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER */
    {MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, 0x6E00}, /* MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE */
    {MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR, 0x6E00},     /* the same */
    {MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE, 0x7700}, /* MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE */
};

static bool is_renamed(int code)
{
    bool is_of_message = code <= MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO && code >= MBEDTLS_ERR_SSL_BAD_HS_FINISHED;
    return is_of_message || code == MBEDTLS_ERR_SSL_BAD_HS_NEW_SESSION_TICKET;
}
#endif

int host_mbedtls_3_code(const mbedtls_ssl_context *ssl, int code)
{
#if MBEDTLS_VERSION_MAJOR < 3
    bool has_sent_alert = ssl->out_msg != NULL && ssl->out_msgtype == MBEDTLS_SSL_MSG_ALERT;
    for (size_t i = 0; has_sent_alert && is_renamed(code) && i < sizeof RENAMED / sizeof RENAMED[0]; i++) {
        if (RENAMED[i].alert == ssl->out_msg[1]) {
            return RENAMED[i].code;
        }
    }
#else
    (void)ssl;
#endif
    return -code;
}

/* Whether the certificate names this address; of what 3.5 and later (ESP-IDF 5.2) look at, only 2.28 does not. */
static bool has_address(const mbedtls_x509_crt *certificate, const char *name)
{
    struct in_addr address;
    if (name == NULL || inet_pton(AF_INET, name, &address) != 1) {
        return false;
    }
    for (const mbedtls_x509_sequence *each = &certificate->subject_alt_names; each != NULL; each = each->next) {
        bool is_address = (each->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == SAN_IP_ADDRESS;
        if (is_address && each->buf.len == sizeof address && memcmp(each->buf.p, &address, sizeof address) == 0) {
            return true;
        }
    }
    return false;
}

int __wrap_mbedtls_x509_crt_verify_restartable(mbedtls_x509_crt *chain, mbedtls_x509_crt *trusted,
                                               mbedtls_x509_crl *revoked, const mbedtls_x509_crt_profile *profile,
                                               const char *name, uint32_t *flags, verifier_t verifier,
                                               void *context, mbedtls_x509_crt_restart_ctx *restart)
{
    return __real_mbedtls_x509_crt_verify_restartable(chain, trusted, revoked, profile,
                                                      has_address(chain, name) ? NULL : name, flags, verifier,
                                                      context, restart);
}
