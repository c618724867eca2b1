#include "certificate_pem.h"

#include <stdlib.h>
#include <string.h>

#include "mbedtls/base64.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define HEAD "-----BEGIN CERTIFICATE-----\n"
#define TAIL "\n-----END CERTIFICATE-----\n"

/** The text behind the line that begins a certificate, if `begin` is one; else NULL. X509 is OpenSSL's older name. */
static char *body_of(char *begin)
{
    static const char *const LABELS[] = {"CERTIFICATE-----", "X509 CERTIFICATE-----"};
    char *label = begin + strlen(BEGIN);
    for (size_t i = 0; i < sizeof LABELS / sizeof LABELS[0]; i++) {
        if (strncmp(label, LABELS[i], strlen(LABELS[i])) == 0) {
            return label + strlen(LABELS[i]);
        }
    }
    return NULL;
}

/** Moves what is no white space together; how much that is. */
static size_t compact(char *text, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (strchr(" \t\r\n\v\f", text[i]) == NULL) {
            text[kept++] = text[i];
        }
    }
    return kept;
}

pem_block_t pem_take(char **text, const uint8_t **der, size_t *size)
{
    char *body = NULL;
    for (char *begin = *text; body == NULL; *text = begin) {
        begin = strstr(begin, BEGIN);
        if (begin == NULL) {
            return PEM_END;
        }
        body = body_of(begin);
        begin += strlen(BEGIN);
    }
    char *end = strstr(body, END);
    *text = end != NULL ? end + strlen(END) : body;
    if (end == NULL) {
        return PEM_UNREADABLE;
    }
    uint8_t *bytes = (uint8_t *)body; /* three for each four letters: the decoder writes behind where it reads */
    size_t letters = compact(body, (size_t)(end - body));
    bool is_read = mbedtls_base64_decode(bytes, letters, size, bytes, letters) == 0 && *size > 0;
    *der = bytes;
    return is_read ? PEM_CERTIFICATE : PEM_UNREADABLE;
}

char *pem_of_certificates(const certificate_t *certificate, uint8_t role)
{
    certificate_item_t item = {0};
    size_t size = 1;
    while (certificate_next(certificate, role, &item)) {
        size += strlen(HEAD) + (item.size + 2) / 3 * 4 + strlen(TAIL);
    }
    char *pem = malloc(size);
    char *at = pem;
    item = (certificate_item_t){0};
    while (pem != NULL && certificate_next(certificate, role, &item)) {
        size_t letters = 0;
        memcpy(at, HEAD, strlen(HEAD));
        at += strlen(HEAD);
        (void)mbedtls_base64_encode((unsigned char *)at, (size_t)(pem + size - at), &letters, item.der, item.size);
        at += letters;
        memcpy(at, TAIL, sizeof TAIL);
        at += strlen(TAIL);
    }
    return pem;
}
