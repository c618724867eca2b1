#include "host_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "esp_crt_bundle.h"
#include "esp_log.h"
#include "esp_random.h"
#include "host_chip_tls.h"
#include "host_mbedtls_3.h"
#include "host_monitor.h"
#include "mbedtls/net_sockets.h"
#include "mbedtls/ssl.h"
#include "mbedtls/version.h"

#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member /* Mbed TLS 2 has no private members */
#endif

static const char *TAG = "esp-tls-mbedtls";

/* The linker puts the second in the place of the first; see CMakeLists.txt. */
int __real_mbedtls_ssl_write_certificate(mbedtls_ssl_context *ssl);
int __wrap_mbedtls_ssl_write_certificate(mbedtls_ssl_context *ssl);

struct host_tls {
    host_socket_t socket;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt ca;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
};

static int fill_random(void *context, unsigned char *out, size_t size)
{
    (void)context;
    esp_fill_random(out, size);
    return 0;
}

/* As mbedtls_net_send and mbedtls_net_recv of ESP-IDF, to which a time-out is a reason to come again. */
static int code_of_errno(int otherwise)
{
    if (errno == EAGAIN || errno == EINTR) {
        return otherwise == MBEDTLS_ERR_NET_RECV_FAILED ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    return errno == EPIPE || errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET : otherwise;
}

static int send_bytes(void *context, const unsigned char *data, size_t size)
{
    const host_tls_t *tls = context;
    ssize_t sent = host_socket_send(&tls->socket, data, size);
    return sent >= 0 ? (int)sent : code_of_errno(MBEDTLS_ERR_NET_SEND_FAILED);
}

static int receive_bytes(void *context, unsigned char *buffer, size_t size)
{
    const host_tls_t *tls = context;
    ssize_t got = host_socket_receive(&tls->socket, buffer, size);
    return got >= 0 ? (int)got : code_of_errno(MBEDTLS_ERR_NET_RECV_FAILED);
}

static size_t message_size(const mbedtls_x509_crt *chain)
{
    size_t size = 7; /* header of the message, and of its list */
    for (const mbedtls_x509_crt *each = chain; each != NULL && each->raw.p != NULL; each = each->next) {
        size += 3 + each->raw.len;
    }
    return size;
}

/* A chain that does not fit into the chip's buffer never leaves it: where one is asked for, it fits in here no better. */
int __wrap_mbedtls_ssl_write_certificate(mbedtls_ssl_context *ssl)
{
    host_tls_t *tls = ssl->MBEDTLS_PRIVATE(p_bio);
    if (message_size(&tls->certificate) <= host_chip_tls_out_max) {
        return __real_mbedtls_ssl_write_certificate(ssl);
    }
    size_t length = tls->certificate.raw.len;
    tls->certificate.raw.len = SIZE_MAX / 2;
    int code = __real_mbedtls_ssl_write_certificate(ssl);
    tls->certificate.raw.len = length;
    return code == 0 ? 0 : MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
}

/* What mbedTLS says, to the log and for esp_tls_get_and_clear_last_error(); `err` beside it. */
static esp_err_t note(const host_tls_t *tls, const char *what, int code, esp_err_t err, esp_tls_last_error_t *error)
{
    error->esp_tls_error_code = host_mbedtls_3_code(&tls->ssl, code);
    ESP_LOGE(TAG, "%s returned -0x%04X", what, (unsigned)error->esp_tls_error_code);
    return err;
}

static esp_err_t trust(host_tls_t *tls, const host_endpoint_t *endpoint, esp_tls_last_error_t *error)
{
    mbedtls_ssl_conf_authmode(&tls->config, MBEDTLS_SSL_VERIFY_REQUIRED);
    if (endpoint->has_bundle) {
        return esp_crt_bundle_attach(&tls->config);
    }
    if (endpoint->ca_pem == NULL) {
        ESP_LOGE(TAG, "No server verification option set in esp_tls_cfg_t structure. Check esp_tls API reference");
        return ESP_ERR_MBEDTLS_SSL_SETUP_FAILED;
    }
    int code = mbedtls_x509_crt_parse(&tls->ca, (const unsigned char *)endpoint->ca_pem, strlen(endpoint->ca_pem) + 1);
    if (code < 0) {
        return note(tls, "mbedtls_x509_crt_parse of CA cert", code, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED, error);
    }
    if (code > 0) {
        ESP_LOGW(TAG, "mbedtls_x509_crt_parse was partly successful. No. of failed certificates: %d", code);
    }
    mbedtls_ssl_conf_ca_chain(&tls->config, &tls->ca, NULL);
    return ESP_OK;
}

static int parse_key(mbedtls_pk_context *key, const char *pem)
{
    const unsigned char *bytes = (const unsigned char *)pem;
#if MBEDTLS_VERSION_MAJOR < 3
    return mbedtls_pk_parse_key(key, bytes, strlen(pem) + 1, NULL, 0);
#else
    return mbedtls_pk_parse_key(key, bytes, strlen(pem) + 1, NULL, 0, fill_random, NULL);
#endif
}

static esp_err_t use_own(host_tls_t *tls, const host_endpoint_t *endpoint, esp_tls_last_error_t *error)
{
    const char *pem = endpoint->cert_pem;
    if (pem == NULL && endpoint->key_pem == NULL) {
        return ESP_OK;
    }
    if (pem == NULL || endpoint->key_pem == NULL) {
        ESP_LOGE(TAG, "You have to provide both clientcert_buf and clientkey_buf for mutual authentication");
        return ESP_ERR_INVALID_STATE;
    }
    int code = mbedtls_x509_crt_parse(&tls->certificate, (const unsigned char *)pem, strlen(pem) + 1);
    if (code < 0) {
        return note(tls, "mbedtls_x509_crt_parse of public cert", code, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED, error);
    }
    code = parse_key(&tls->key, endpoint->key_pem);
    if (code < 0) {
        return note(tls, "mbedtls_pk_parse_keyfile", code, ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED, error);
    }
    code = mbedtls_ssl_conf_own_cert(&tls->config, &tls->certificate, &tls->key);
    return code < 0 ? note(tls, "mbedtls_ssl_conf_own_cert", code, ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED, error)
                    : ESP_OK;
}

static esp_err_t configure(host_tls_t *tls, const host_endpoint_t *endpoint, esp_tls_last_error_t *error)
{
    const char *name = endpoint->common_name != NULL ? endpoint->common_name : endpoint->host;
    int code = mbedtls_ssl_set_hostname(&tls->ssl, endpoint->is_name_check_skipped ? NULL : name);
    if (code != 0) {
        return note(tls, "mbedtls_ssl_set_hostname", code, ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED, error);
    }
    code = mbedtls_ssl_config_defaults(&tls->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                       MBEDTLS_SSL_PRESET_DEFAULT);
    if (code != 0) {
        return note(tls, "mbedtls_ssl_config_defaults", code, ESP_ERR_MBEDTLS_SSL_CONFIG_DEFAULTS_FAILED, error);
    }
    code = endpoint->alpn_protocols != NULL ? mbedtls_ssl_conf_alpn_protocols(&tls->config, endpoint->alpn_protocols) : 0;
    if (code != 0) {
        return note(tls, "mbedtls_ssl_conf_alpn_protocols", code, ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED, error);
    }
    mbedtls_ssl_conf_rng(&tls->config, fill_random, NULL);
    host_chip_tls_narrow(&tls->config);
    esp_err_t err = trust(tls, endpoint, error);
    err = err == ESP_OK ? use_own(tls, endpoint, error) : err;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to set client configurations, returned [0x%04X] (%s)", (unsigned)err,
                 esp_err_to_name(err));
        return err;
    }
    code = mbedtls_ssl_setup(&tls->ssl, &tls->config);
    if (code != 0) {
        return note(tls, "mbedtls_ssl_setup", code, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, error);
    }
    mbedtls_ssl_set_bio(&tls->ssl, tls, send_bytes, receive_bytes, NULL);
    return ESP_OK;
}

static bool is_pending(int code)
{
    return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* Each receive has the whole time limit; only when one is over, it is asked how long all has taken. */
static esp_err_t shake_hands(host_tls_t *tls, esp_tls_last_error_t *error)
{
    int64_t start_us = host_uptime_us();
    int code;
    do {
        code = mbedtls_ssl_handshake(&tls->ssl);
        if (is_pending(code) && host_uptime_us() - start_us >= (int64_t)tls->socket.timeout_ms * 1000) {
            ESP_LOGW(TAG, "Failed to open new connection in specified timeout");
            return ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT;
        }
    } while (is_pending(code));
    if (code == 0) {
        return ESP_OK;
    }
    error->esp_tls_flags = (int)mbedtls_ssl_get_verify_result(&tls->ssl);
    if (error->esp_tls_flags != 0) {
        ESP_LOGI(TAG, "Failed to verify peer certificate!");
    }
    return note(tls, "mbedtls_ssl_handshake", code, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, error);
}

host_tls_t *host_tls_open(const host_endpoint_t *endpoint, const host_socket_t *socket, esp_tls_last_error_t *error)
{
    host_tls_t *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        error->last_error = ESP_ERR_NO_MEM;
        return NULL;
    }
    tls->socket = *socket;
    mbedtls_ssl_init(&tls->ssl);
    mbedtls_ssl_config_init(&tls->config);
    mbedtls_x509_crt_init(&tls->ca);
    mbedtls_x509_crt_init(&tls->certificate);
    mbedtls_pk_init(&tls->key);
    error->last_error = configure(tls, endpoint, error);
    if (error->last_error == ESP_OK) {
        error->last_error = shake_hands(tls, error);
    }
    if (error->last_error != ESP_OK) {
        host_tls_free(tls);
        return NULL;
    }
    return tls;
}

ssize_t host_tls_read(host_tls_t *tls, void *buffer, size_t size, esp_tls_last_error_t *error)
{
    int got = mbedtls_ssl_read(&tls->ssl, buffer, size);
    if (got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        return 0;
    }
    if (got < 0 && !is_pending(got)) {
        note(tls, "read", got, ESP_OK, error);
    }
    return got;
}

ssize_t host_tls_write(host_tls_t *tls, const void *data, size_t size, esp_tls_last_error_t *error)
{
    int sent = mbedtls_ssl_write(&tls->ssl, data, size < host_chip_tls_out_max ? size : host_chip_tls_out_max);
    if (sent < 0 && !is_pending(sent)) {
        error->last_error = note(tls, "write", sent, ESP_ERR_MBEDTLS_SSL_WRITE_FAILED, error);
    }
    return sent;
}

bool host_tls_has_bytes(const host_tls_t *tls)
{
    return mbedtls_ssl_get_bytes_avail(&tls->ssl) > 0;
}

void host_tls_free(host_tls_t *tls)
{
    if (tls == NULL) {
        return;
    }
    mbedtls_ssl_free(&tls->ssl);
    mbedtls_ssl_config_free(&tls->config);
    mbedtls_x509_crt_free(&tls->ca);
    mbedtls_x509_crt_free(&tls->certificate);
    mbedtls_pk_free(&tls->key);
    free(tls);
}
