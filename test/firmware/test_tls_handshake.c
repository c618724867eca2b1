/*
 * What tls_handshake.c sees of Mbed TLS' own handshakes, through the linker's --wrap as on a chip: which alert came,
 * and whether our certificate had been shown. Client and server talk through memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "mbedtls/ctr_drbg.h"
#include "mbedtls/entropy.h"
#include "mbedtls/net_sockets.h"
#include "mbedtls/ssl.h"
#include "tls_handshake.h"

#define PIPE_SIZE 16384
#define ROUNDS_MAX 64

int __real_mbedtls_ssl_handshake(mbedtls_ssl_context *ssl);

typedef struct {
    unsigned char bytes[PIPE_SIZE];
    size_t length;
    bool is_closed;
    bool is_reset; /* whoever reads it has gone, and said so */
} pipe_t;

typedef struct {
    pipe_t *in;
    pipe_t *out;
} ends_t;

static const char *s_dir;
static mbedtls_ctr_drbg_context s_random;
static mbedtls_x509_crt s_ca;

static int write_pipe(void *context, const unsigned char *data, size_t length)
{
    pipe_t *out = ((ends_t *)context)->out;
    if (out->is_reset) {
        return MBEDTLS_ERR_NET_CONN_RESET;
    }
    if (out->length + length > PIPE_SIZE) {
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    memcpy(out->bytes + out->length, data, length);
    out->length += length;
    return (int)length;
}

static int read_pipe(void *context, unsigned char *data, size_t size)
{
    pipe_t *in = ((ends_t *)context)->in;
    size_t length = in->length < size ? in->length : size;
    if (length == 0) {
        return in->is_closed ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    }
    memcpy(data, in->bytes, length);
    memmove(in->bytes, in->bytes + length, in->length - length);
    in->length -= length;
    return (int)length;
}

typedef struct {
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    ends_t ends;
} side_t;

static char *path(const char *name)
{
    static char text[512];
    snprintf(text, sizeof text, "%s/%s", s_dir, name);
    return text;
}

static void open_side(side_t *side, int endpoint, const char *name, pipe_t *in, pipe_t *out)
{
    char file[64];
    mbedtls_ssl_config_init(&side->config);
    mbedtls_ssl_init(&side->ssl);
    mbedtls_x509_crt_init(&side->certificate);
    mbedtls_pk_init(&side->key);
    side->ends = (ends_t){in, out};
    CHECK(mbedtls_ssl_config_defaults(&side->config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM,
                                      MBEDTLS_SSL_PRESET_DEFAULT) == 0);
    snprintf(file, sizeof file, "%s.crt", name);
    CHECK(mbedtls_x509_crt_parse_file(&side->certificate, path(file)) == 0);
    CHECK(mbedtls_pk_parse_keyfile(&side->key, path("device.key"), NULL) == 0);
    CHECK(mbedtls_ssl_conf_own_cert(&side->config, &side->certificate, &side->key) == 0);
    mbedtls_ssl_conf_rng(&side->config, mbedtls_ctr_drbg_random, &s_random);
    mbedtls_ssl_conf_ca_chain(&side->config, &s_ca, NULL);
    mbedtls_ssl_conf_authmode(&side->config, MBEDTLS_SSL_VERIFY_REQUIRED);
    CHECK(mbedtls_ssl_setup(&side->ssl, &side->config) == 0);
    mbedtls_ssl_set_bio(&side->ssl, &side->ends, write_pipe, read_pipe, NULL);
}

static void close_side(side_t *side)
{
    mbedtls_ssl_free(&side->ssl);
    mbedtls_ssl_config_free(&side->config);
    mbedtls_x509_crt_free(&side->certificate);
    mbedtls_pk_free(&side->key);
}

static bool wants_more(int code)
{
    return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/** Our side against a server that answers `answer` and then, if `is_closed`, hangs up. */
static int against(const unsigned char *answer, size_t length, bool is_closed)
{
    pipe_t *pipes = calloc(2, sizeof *pipes);
    side_t client;
    memcpy(pipes[0].bytes, answer, length);
    pipes[0].length = length;
    pipes[0].is_closed = is_closed;
    open_side(&client, MBEDTLS_SSL_IS_CLIENT, "device", &pipes[0], &pipes[1]);
    tls_handshake_begin();
    int code = mbedtls_ssl_handshake(&client.ssl);
    close_side(&client);
    free(pipes);
    return code;
}

static void test_before_the_certificate(void)
{
    static const unsigned char ALERTS[] = {40, 70, 71, 80, 112};
    for (size_t i = 0; i < sizeof ALERTS; i++) {
        const unsigned char record[] = {0x15, 3, 3, 0, 2, 2, ALERTS[i]};
        CHECK(against(record, sizeof record, true) == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
        CHECK(tls_handshake_last().alert == ALERTS[i] && !tls_handshake_last().certificate_shown);
    }
    CHECK(against((const unsigned char *)"", 0, true) == MBEDTLS_ERR_SSL_CONN_EOF);
    CHECK(tls_handshake_last().alert == TLS_NO_ALERT && !tls_handshake_last().certificate_shown);
    const unsigned char garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    CHECK(against(garbage, sizeof garbage, false) == MBEDTLS_ERR_SSL_INVALID_RECORD);
    CHECK(tls_handshake_last().alert == TLS_NO_ALERT);
}

typedef enum { SERVER_CHECKS, SERVER_HANGS_UP } server_t;

/** A whole handshake with a server that wants our certificate. Returns how it ended for us. */
static int shake_hands(const char *our_certificate, server_t kind)
{
    pipe_t *pipes = calloc(2, sizeof *pipes);
    side_t client;
    side_t server;
    open_side(&client, MBEDTLS_SSL_IS_CLIENT, our_certificate, &pipes[0], &pipes[1]);
    open_side(&server, MBEDTLS_SSL_IS_SERVER, "device", &pipes[1], &pipes[0]);
    CHECK(mbedtls_ssl_set_hostname(&client.ssl, "dev1") == 0);
    tls_handshake_begin();
    int ours = MBEDTLS_ERR_SSL_WANT_READ;
    int theirs = MBEDTLS_ERR_SSL_WANT_READ;
    for (int round = 0; round < ROUNDS_MAX && wants_more(ours); round++) {
        ours = mbedtls_ssl_handshake(&client.ssl);
        bool is_reached = server.ssl.state == MBEDTLS_SSL_CLIENT_CERTIFICATE;
        if (kind == SERVER_HANGS_UP && is_reached && wants_more(ours)) {
            pipes[0].is_closed = true;
        } else if (wants_more(theirs)) {
            theirs = __real_mbedtls_ssl_handshake(&server.ssl);
        }
    }
    close_side(&client);
    close_side(&server);
    free(pipes);
    return ours;
}

/** A server that has said `answer` to our certificate and gone while we were still writing. */
static int cut_with(const unsigned char *answer, size_t length)
{
    pipe_t *pipes = calloc(2, sizeof *pipes);
    side_t client;
    side_t server;
    open_side(&client, MBEDTLS_SSL_IS_CLIENT, "device", &pipes[0], &pipes[1]);
    open_side(&server, MBEDTLS_SSL_IS_SERVER, "device", &pipes[1], &pipes[0]);
    CHECK(mbedtls_ssl_set_hostname(&client.ssl, "dev1") == 0);
    tls_handshake_begin();
    for (int round = 0; round < ROUNDS_MAX && client.ssl.state < MBEDTLS_SSL_CLIENT_KEY_EXCHANGE; round++) {
        (void)__real_mbedtls_ssl_handshake(&server.ssl);
        while (client.ssl.state < MBEDTLS_SSL_CLIENT_KEY_EXCHANGE && mbedtls_ssl_handshake_step(&client.ssl) == 0) {
        }
    }
    memcpy(pipes[0].bytes, answer, length);
    pipes[0].length = length;
    pipes[0].is_closed = true;
    pipes[1].is_reset = true;
    int code = mbedtls_ssl_handshake(&client.ssl);
    close_side(&client);
    close_side(&server);
    free(pipes);
    return code;
}

static void test_cut_while_writing(void)
{
    static const unsigned char REVOKED[] = {0x15, 3, 3, 0, 2, 2, 44};
    static const unsigned char WARNING[] = {0x15, 3, 3, 0, 2, 1, 0};
    static const unsigned char OTHER[] = {0x16, 3, 3, 0, 2, 2, 44};
    CHECK(cut_with(REVOKED, sizeof REVOKED) == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    CHECK(tls_handshake_last().alert == 44 && tls_handshake_last().certificate_shown);
    for (size_t length = 0; length < sizeof REVOKED; length++) {
        CHECK(cut_with(REVOKED, length) == MBEDTLS_ERR_NET_CONN_RESET);
        CHECK(tls_handshake_last().alert == TLS_NO_ALERT && tls_handshake_last().certificate_shown);
    }
    CHECK(cut_with(WARNING, sizeof WARNING) == MBEDTLS_ERR_NET_CONN_RESET);
    CHECK(cut_with(OTHER, sizeof OTHER) == MBEDTLS_ERR_NET_CONN_RESET);
    CHECK(tls_handshake_last().alert == TLS_NO_ALERT);
}

static void test_after_the_certificate(void)
{
    CHECK(shake_hands("device", SERVER_CHECKS) == 0);
    CHECK(tls_handshake_last().alert == TLS_NO_ALERT && !tls_handshake_last().certificate_shown);
    CHECK(shake_hands("strange", SERVER_CHECKS) == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    CHECK(tls_handshake_last().alert == 48 && tls_handshake_last().certificate_shown); /* unknown_ca */
    CHECK(shake_hands("device", SERVER_HANGS_UP) == MBEDTLS_ERR_SSL_CONN_EOF);
    CHECK(tls_handshake_last().alert == TLS_NO_ALERT && tls_handshake_last().certificate_shown);
    tls_handshake_begin();
    CHECK(!tls_handshake_last().certificate_shown);
}

int main(int argc, char **argv)
{
    mbedtls_entropy_context entropy;
    s_dir = argc > 1 ? argv[1] : ".";
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&s_random);
    mbedtls_x509_crt_init(&s_ca);
    CHECK(mbedtls_ctr_drbg_seed(&s_random, mbedtls_entropy_func, &entropy, NULL, 0) == 0);
    CHECK(mbedtls_x509_crt_parse_file(&s_ca, path("ca.crt")) == 0);
    test_before_the_certificate();
    test_after_the_certificate();
    test_cut_while_writing();
    mbedtls_x509_crt_free(&s_ca);
    mbedtls_ctr_drbg_free(&s_random);
    mbedtls_entropy_free(&entropy);
    return check_result("tls_handshake");
}
