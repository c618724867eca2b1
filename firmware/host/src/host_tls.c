#include "host_tls.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "esp_tls_errors.h"
#include "host_clock.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509.h"

int host_mbedtls_ssl_fail(int state, int code, unsigned char alert);

static int flag_of(int x509_error)
{
    switch (x509_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return MBEDTLS_X509_BADCERT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return MBEDTLS_X509_BADCERT_FUTURE;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return MBEDTLS_X509_BADCERT_CN_MISMATCH;
    case X509_V_ERR_CERT_REVOKED:
        return MBEDTLS_X509_BADCERT_REVOKED;
    case X509_V_ERR_INVALID_PURPOSE:
        return MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_INVALID_CA:
        return MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    default:
        return MBEDTLS_X509_BADCERT_OTHER;
    }
}

static host_tls_trace_t *trace_of(X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* mbedTLS goes on after an error and reports all flags at once; so does this. */
static int collect_error(int is_ok, X509_STORE_CTX *store)
{
    if (!is_ok) {
        host_tls_trace_t *trace = trace_of(store);
        int error = X509_STORE_CTX_get_error(store);
        trace->cert_flags |= flag_of(error);
        if (trace->first_error == X509_V_OK) {
            trace->first_error = error;
        }
    }
    return 1;
}

static int verify_chain(X509_STORE_CTX *store, void *argument)
{
    host_tls_trace_t *trace = argument;
    X509_STORE_CTX_set_verify_cb(store, collect_error);
    int is_ok = X509_verify_cert(store) == 1;
    if (is_ok && trace->cert_flags == 0) {
        return 1;
    }
    if (trace->cert_flags == 0) {
        trace->cert_flags = MBEDTLS_X509_BADCERT_OTHER;
        trace->first_error = X509_V_ERR_UNSPECIFIED;
    }
    X509_STORE_CTX_set_error(store, trace->first_error); /* chooses the alert that is sent */
    return 0;
}

/* Where mbedTLS is past MBEDTLS_SSL_CLIENT_CERTIFICATE. */
static bool is_past_certificate(OSSL_HANDSHAKE_STATE state)
{
    switch (state) {
    case TLS_ST_CW_KEY_EXCH:
    case TLS_ST_CW_CERT_VRFY:
    case TLS_ST_CW_CHANGE:
    case TLS_ST_CW_FINISHED:
    case TLS_ST_CR_SESSION_TICKET:
    case TLS_ST_CR_CHANGE:
    case TLS_ST_CR_FINISHED:
        return true;
    default:
        return false;
    }
}

static void note_progress(const SSL *ssl, int where, int value)
{
    host_tls_trace_t *trace = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    bool is_fatal = (value >> 8) == SSL3_AL_FATAL;
    if (where & SSL_CB_HANDSHAKE_START) {
        trace->is_handshake_begun = true;
    }
    if ((where & SSL_CB_LOOP) && is_past_certificate(SSL_get_state(ssl))) {
        trace->is_certificate_shown = true;
    }
    if (where & SSL_CB_HANDSHAKE_DONE) {
        trace->is_handshake_done = true;
    }
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && is_fatal) {
        trace->has_fatal_alert = true;
        trace->alert = value & 0xff;
    }
    unsigned long error = ERR_peek_last_error();
    if ((where & SSL_CB_CONNECT_EXIT) == SSL_CB_CONNECT_EXIT && value <= 0 && ERR_GET_LIB(error) == ERR_LIB_SSL) {
        /* To OpenSSL a hang-up is one more thing to complain of. */
        trace->has_complained = ERR_GET_REASON(error) != SSL_R_UNEXPECTED_EOF_WHILE_READING;
    }
}

/* mbedTLS finds a block wherever it begins; OpenSSL wants each on a line of its own. */
static BIO *open_pem(const char *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *begin;
    while (*pem != '\0' && (begin = strstr(pem + 1, "-----BEGIN")) != NULL) {
        BIO_write(bio, pem, (int)(begin - pem));
        BIO_puts(bio, "\n");
        pem = begin;
    }
    BIO_puts(bio, pem);
    return bio;
}

static esp_err_t trust(SSL_CTX *ctx, const char *pem)
{
    BIO *bio = open_pem(pem);
    X509_STORE *store = X509_STORE_new(); /* nothing but what is pinned */
    SSL_CTX_set_cert_store(ctx, store);
    int count = 0;
    X509 *certificate;
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        X509_STORE_add_cert(store, certificate);
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the PEM is an "error", too */
    return count > 0 ? ESP_OK : ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED;
}

static esp_err_t use_own_certificate(SSL_CTX *ctx, const char *pem)
{
    BIO *bio = open_pem(pem);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool is_used = leaf != NULL && SSL_CTX_use_certificate(ctx, leaf) == 1;
    X509_free(leaf);
    X509 *issuer;
    while (is_used && (issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        SSL_CTX_add0_chain_cert(ctx, issuer);
    }
    BIO_free(bio);
    ERR_clear_error();
    return is_used ? ESP_OK : ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED;
}

static esp_err_t use_own_key(SSL_CTX *ctx, const char *pem)
{
    BIO *bio = open_pem(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    esp_err_t err = key == NULL ? ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED
                    : SSL_CTX_use_PrivateKey(ctx, key) != 1
                        ? ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED
                        : ESP_OK;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

static void set_verification(SSL_CTX *ctx, const host_tls_config_t *config)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, host_clock_now());
    /* mbedTLS trusts whatever it was given, an intermediate as much as a root. */
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    if (!config->is_name_check_skipped &&
        X509_VERIFY_PARAM_set1_ip_asc(param, config->host) != 1) {
        X509_VERIFY_PARAM_set1_host(param, config->host, 0);
    }
}

esp_err_t host_tls_prepare(SSL_CTX *ctx, const host_tls_config_t *config, host_tls_trace_t *trace)
{
    esp_err_t err = ESP_OK;
    if (config->ca_pem != NULL) {
        err = trust(ctx, config->ca_pem);
    } else if (config->has_bundle) {
        SSL_CTX_set_default_verify_paths(ctx);
    } else {
        err = ESP_ERR_MBEDTLS_SSL_SETUP_FAILED;
    }
    if (err == ESP_OK && config->cert_pem != NULL && config->key_pem != NULL) {
        err = use_own_certificate(ctx, config->cert_pem);
        err = err == ESP_OK ? use_own_key(ctx, config->key_pem) : err;
    }
    if (err != ESP_OK) {
        return err;
    }
    /* ESP-IDF 5 ships with CONFIG_MBEDTLS_SSL_PROTO_TLS1_3 off. */
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    set_verification(ctx, config);
    SSL_CTX_set_app_data(ctx, trace);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify_chain, trace);
    SSL_CTX_set_info_callback(ctx, note_progress);
    return ESP_OK;
}

/* Of the stack, `code` is what esp-tls would have had from it; positive, as it keeps it. */
static void describe_handshake(const host_tls_trace_t *trace, int code, esp_tls_last_error_t *error)
{
    error->last_error = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED;
    error->esp_tls_error_code = code;
    (void)host_mbedtls_ssl_fail(trace->is_certificate_shown ? MBEDTLS_SSL_SERVER_CHANGE_CIPHER_SPEC
                                                            : MBEDTLS_SSL_SERVER_HELLO,
                                -code, (unsigned char)trace->alert);
}

bool host_tls_describe(const host_tls_trace_t *trace, esp_tls_last_error_t *error)
{
    if (trace->cert_flags != 0) {
        error->last_error = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED;
        error->esp_tls_error_code = -MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
        error->esp_tls_flags = trace->cert_flags;
        return true;
    }
    if (trace->has_fatal_alert && trace->is_handshake_done) {
        error->last_error = ESP_ERR_MBEDTLS_SSL_READ_FAILED;
        error->esp_tls_error_code = -MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
        return true;
    }
    if (trace->has_fatal_alert) {
        describe_handshake(trace, -MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, error);
        return true;
    }
    if (trace->has_complained && !trace->is_handshake_done) {
        describe_handshake(trace, -MBEDTLS_ERR_SSL_INVALID_RECORD, error);
        return true;
    }
    return false;
}

bool host_tls_describe_hang_up(const host_tls_trace_t *trace, esp_tls_last_error_t *error)
{
    bool is_under_way = trace->is_handshake_begun && !trace->is_handshake_done;
    if (is_under_way) {
        describe_handshake(trace, -MBEDTLS_ERR_SSL_CONN_EOF, error);
    }
    return is_under_way;
}
