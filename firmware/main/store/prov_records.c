#include "prov_records.h"

#include <string.h>

#include "secret_wipe.h"

/*
 * A record is a version byte, then each text as a 16-bit little-endian size and that many bytes,
 * the terminating NUL included: texts can be used where they lie. One record is one blob, and NVS
 * replaces a blob atomically, so no mixture of old and new fields can survive a power cut.
 */
#define RECORD_VERSION 1

typedef struct {
    uint8_t *at;
    size_t left;
    bool failed;
} writer_t;

static void put_bytes(writer_t *w, const void *data, size_t size)
{
    if (w->failed || w->left < size) {
        w->failed = true;
        return;
    }
    memcpy(w->at, data, size);
    w->at += size;
    w->left -= size;
}

static void put_text(writer_t *w, const char *text)
{
    size_t size = strlen(text) + 1;
    uint8_t prefix[2] = {(uint8_t)(size & 0xff), (uint8_t)(size >> 8)};
    if (size > UINT16_MAX) {
        w->failed = true;
        return;
    }
    put_bytes(w, prefix, sizeof prefix);
    put_bytes(w, text, size);
}

static writer_t writer_begin(uint8_t *out, size_t capacity)
{
    writer_t w = {.at = out, .left = capacity, .failed = false};
    uint8_t version = RECORD_VERSION;
    put_bytes(&w, &version, 1);
    return w;
}

static size_t writer_end(const writer_t *w, const uint8_t *out)
{
    return w->failed ? 0 : (size_t)(w->at - out);
}

typedef struct {
    const uint8_t *at;
    size_t left;
    bool failed;
} reader_t;

static reader_t reader_begin(const uint8_t *record, size_t size)
{
    bool valid = size > 0 && record[0] == RECORD_VERSION;
    return valid ? (reader_t){.at = record + 1, .left = size - 1, .failed = false} : (reader_t){.failed = true};
}

/** The next text, where it lies; NULL when the record ends or is malformed. */
static const char *get_text(reader_t *r)
{
    if (r->failed || r->left < 2) {
        r->failed = true;
        return NULL;
    }
    size_t size = (size_t)r->at[0] | (size_t)r->at[1] << 8;
    const char *text = (const char *)r->at + 2;
    if (size == 0 || size > r->left - 2 || memchr(text, '\0', size) != text + size - 1) {
        r->failed = true;
        return NULL;
    }
    r->at += 2 + size;
    r->left -= 2 + size;
    return text;
}

static void copy_text(reader_t *r, char *out, size_t capacity)
{
    const char *text = get_text(r);
    if (text == NULL || strlen(text) >= capacity) {
        r->failed = true;
        return;
    }
    memcpy(out, text, strlen(text) + 1);
}

static bool reader_end(const reader_t *r)
{
    return !r->failed && r->left == 0;
}

static void put_wifi(writer_t *w, const wifi_credentials_t *wifi)
{
    put_text(w, wifi->ssid);
    put_text(w, wifi->password);
}

static void put_enrolment(writer_t *w, const enrolment_t *enrol)
{
    put_text(w, enrol->token);
    put_text(w, enrol->bearer);
    put_text(w, enrol->attempt_id);
}

static void get_wifi(reader_t *r, wifi_credentials_t *wifi)
{
    copy_text(r, wifi->ssid, sizeof wifi->ssid);
    copy_text(r, wifi->password, sizeof wifi->password);
}

static void get_enrolment(reader_t *r, enrolment_t *enrol)
{
    copy_text(r, enrol->token, sizeof enrol->token);
    copy_text(r, enrol->bearer, sizeof enrol->bearer);
    copy_text(r, enrol->attempt_id, sizeof enrol->attempt_id);
}

size_t wifi_record_encode(const wifi_credentials_t *wifi, uint8_t *out, size_t capacity)
{
    writer_t w = writer_begin(out, capacity);
    put_wifi(&w, wifi);
    return writer_end(&w, out);
}

size_t enrolment_record_encode(const enrolment_t *enrol, uint8_t *out, size_t capacity)
{
    writer_t w = writer_begin(out, capacity);
    put_enrolment(&w, enrol);
    return writer_end(&w, out);
}

bool enrolment_record_spend(uint8_t *record, size_t *size)
{
    reader_t r = reader_begin(record, *size);
    const char *token = get_text(&r);
    if (token == NULL || token[0] == '\0') {
        return false;
    }
    uint8_t *after = record + sizeof((uint8_t[]){RECORD_VERSION, 1, 0, '\0'});
    record[1] = 1; /* a text that is its NUL alone */
    record[2] = 0;
    record[3] = '\0';
    memmove(after, r.at, r.left);
    secret_wipe(after + r.left, *size - (size_t)(after + r.left - record));
    *size = (size_t)(after + r.left - record);
    return true;
}

size_t provisioning_record_encode(const provisioning_t *prov, uint8_t *out, size_t capacity)
{
    writer_t w = writer_begin(out, capacity);
    put_wifi(&w, &prov->wifi);
    put_enrolment(&w, &prov->enrol);
    return writer_end(&w, out);
}

bool wifi_record_decode(const uint8_t *record, size_t size, wifi_credentials_t *wifi)
{
    memset(wifi, 0, sizeof *wifi);
    reader_t r = reader_begin(record, size);
    get_wifi(&r, wifi);
    if (!reader_end(&r)) {
        secret_wipe(wifi, sizeof *wifi);
        return false;
    }
    return true;
}

bool enrolment_record_decode(const uint8_t *record, size_t size, enrolment_t *enrol)
{
    memset(enrol, 0, sizeof *enrol);
    reader_t r = reader_begin(record, size);
    get_enrolment(&r, enrol);
    if (!reader_end(&r)) {
        secret_wipe(enrol, sizeof *enrol);
        return false;
    }
    return true;
}

bool provisioning_record_decode(const uint8_t *record, size_t size, provisioning_t *prov)
{
    memset(prov, 0, sizeof *prov);
    reader_t r = reader_begin(record, size);
    get_wifi(&r, &prov->wifi);
    get_enrolment(&r, &prov->enrol);
    if (!reader_end(&r)) {
        secret_wipe(prov, sizeof *prov);
        return false;
    }
    return true;
}

bool certificate_texts(uint8_t *record, size_t size, char **certificate_pem, char **ca_pem)
{
    reader_t r = reader_begin(record, size);
    const char *first = get_text(&r);
    const char *second = get_text(&r);
    if (!reader_end(&r)) {
        return false;
    }
    *certificate_pem = (char *)record + (first - (const char *)record);
    *ca_pem = (char *)record + (second - (const char *)record);
    return true;
}
