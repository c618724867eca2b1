/* The certificate bundle is the system's trust store, looked through as ESP-IDF looks through its own. */
#include "esp_crt_bundle.h"

#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "host_errand.h"
#include "mbedtls/md.h"
#include "mbedtls/pk.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

#ifndef MBEDTLS_PRIVATE
#define MBEDTLS_PRIVATE(member) member /* Mbed TLS 2 has no private members */
#endif

#define BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define PEM_BYTES_MAX 8192
#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"

static const char *TAG = "esp-x509-crt-bundle";

/* Read up to the end of the next certificate; it stands alone in `pem` then. */
static bool next_pem(FILE *file, char pem[PEM_BYTES_MAX])
{
    char line[128];
    size_t length = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        size_t more = strlen(line);
        length = strcmp(line, BEGIN) == 0 || length + more >= PEM_BYTES_MAX ? 0 : length;
        memcpy(pem + length, line, more + 1);
        length += more;
        if (strcmp(line, END) == 0) {
            return true;
        }
    }
    return false;
}

/* `root` is initialised, and the caller's to free. */
static bool find_root(const mbedtls_x509_buf *name, mbedtls_x509_crt *root)
{
    FILE *file = fopen(BUNDLE, "re");
    char pem[PEM_BYTES_MAX];
    bool is_found = false;
    while (file != NULL && !is_found && next_pem(file, pem)) {
        mbedtls_x509_crt_free(root);
        is_found = mbedtls_x509_crt_parse(root, (const unsigned char *)pem, strlen(pem) + 1) == 0 &&
                   root->subject_raw.len == name->len && memcmp(root->subject_raw.p, name->p, name->len) == 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return is_found;
}

static bool has_signed(mbedtls_x509_crt *root, const mbedtls_x509_crt *child)
{
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];
    mbedtls_pk_type_t kind = child->MBEDTLS_PRIVATE(sig_pk);
    mbedtls_md_type_t digest = child->MBEDTLS_PRIVATE(sig_md);
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(digest);
    return info != NULL && mbedtls_pk_can_do(&root->pk, kind) &&
           mbedtls_md(info, child->tbs.p, child->tbs.len, hash) == 0 &&
           mbedtls_pk_verify_ext(kind, child->MBEDTLS_PRIVATE(sig_opts), &root->pk, digest, hash,
                                 mbedtls_md_get_size(info), child->MBEDTLS_PRIVATE(sig).p,
                                 child->MBEDTLS_PRIVATE(sig).len) == 0;
}

typedef struct {
    const mbedtls_x509_crt *child;
    bool is_known;
    bool is_signed;
} search_t;

/* A chip has its bundle in flash. */
static void search(void *argument)
{
    search_t *found = argument;
    mbedtls_x509_crt root;
    mbedtls_x509_crt_init(&root);
    found->is_known = find_root(&found->child->issuer_raw, &root);
    found->is_signed = found->is_known && has_signed(&root, found->child);
    mbedtls_x509_crt_free(&root);
}

/* Called for each of the server's chain: only the last, which nobody in it has signed, needs the bundle. */
static int verify(void *context, mbedtls_x509_crt *child, int depth, uint32_t *flags)
{
    (void)context;
    (void)depth;
    if ((*flags & ~(uint32_t)MBEDTLS_X509_BADCERT_BAD_MD) != MBEDTLS_X509_BADCERT_NOT_TRUSTED) {
        return 0;
    }
    search_t found = {.child = child};
    host_errand(search, &found);
    if (found.is_signed) {
        ESP_LOGI(TAG, "Certificate validated");
        *flags = 0;
        return 0;
    }
    if (found.is_known) {
        ESP_LOGE(TAG, "Certificate matched but signature verification failed");
    } else {
        ESP_LOGI(TAG, "No matching trusted root certificate found");
    }
    ESP_LOGE(TAG, "Failed to verify certificate");
    return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
}

esp_err_t esp_crt_bundle_attach(void *conf)
{
    static mbedtls_x509_crt none; /* as ESP-IDF: a handshake without any CA would fail */
    if (conf != NULL) {
        mbedtls_ssl_conf_ca_chain(conf, &none, NULL);
        mbedtls_ssl_conf_verify(conf, verify, NULL);
    }
    return ESP_OK;
}
