#include "device_store.h"

#include <stdlib.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "nvs.h"
#include "nvs_record.h"
#include "secret_wipe.h"
#include "stored_certificate.h"

#define KEY_PENDING "pending"
#define KEY_WIFI "wifi"
#define KEY_ENROL "enrol"
#define KEY_CRT_NEW "crt_new"
#define KEY_CRT "crt"
#define KEY_CLOCK "clock"

static SemaphoreHandle_t s_lock; /* makes each sequence of writes one step for the other tasks */
static uint32_t s_pending_revision; /* counts the credentials that were saved since boot */

static void lock(void)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
}

static void unlock(void)
{
    xSemaphoreGive(s_lock);
}

esp_err_t device_store_init(void)
{
    s_lock = xSemaphoreCreateMutex();
    if (s_lock == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = nvs_record_open();
    stored_certificate_modernise(KEY_CRT_NEW);
    stored_certificate_modernise(KEY_CRT);
    nvs_record_purge();
    return err;
}

/**
 * A loss of power in the middle loses the bearer of no run: the record is replaced as a whole. Where there is no room for
 * both records, it loses that one's, and certificates are there that take the room.
 */
static esp_err_t spend_token_locked(void)
{
    uint8_t *record;
    size_t size;
    esp_err_t err = nvs_record_get(KEY_ENROL, &record, &size);
    size_t left = size;
    if (err == ESP_OK && enrolment_record_spend(record, &left)) {
        err = nvs_record_replace(KEY_ENROL, record, left);
        nvs_record_purge();
    } else if (err == ESP_ERR_NOT_FOUND) {
        err = ESP_OK;
    }
    secret_free(record, size);
    return err;
}

/*
 * The longest of everything does not fit together. What goes then, and only beside a certificate that works: the token
 * of an earlier request, for the later one counts, and a new certificate that nobody has seen work, for the token of
 * this request pays for the next, and a renewal is asked for again.
 */
static esp_err_t squeeze_pending_locked(const uint8_t *record, size_t size)
{
    esp_err_t err = spend_token_locked();
    err = err == ESP_OK ? nvs_record_replace(KEY_PENDING, record, size) : err;
    if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE) {
        err = nvs_record_erase(KEY_CRT_NEW);
        err = err == ESP_OK ? nvs_record_replace(KEY_PENDING, record, size) : err;
    }
    return err;
}

/*
 * A certificate that is there already was paid with the token beside it, which would take the room of this one. Of two
 * requests the later one counts: the earlier one may go first.
 */
esp_err_t device_store_save_pending(const provisioning_t *pending)
{
    uint8_t *record = malloc(PROV_RECORD_MAX);
    if (record == NULL) {
        return ESP_ERR_NO_MEM;
    }
    lock();
    esp_err_t err = nvs_record_exists(KEY_CRT_NEW) ? spend_token_locked() : ESP_OK;
    if (err == ESP_OK) {
        size_t size = provisioning_record_encode(pending, record, PROV_RECORD_MAX);
        err = nvs_record_replace(KEY_PENDING, record, size);
        if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE && nvs_record_exists(KEY_CRT)) {
            err = squeeze_pending_locked(record, size);
        }
    }
    s_pending_revision++;
    if (err == ESP_OK) {
        nvs_record_purge(); /* of the one before */
    }
    unlock();
    secret_free(record, PROV_RECORD_MAX);
    return err;
}

static esp_err_t load_pending_locked(provisioning_t *pending)
{
    uint8_t *record;
    size_t size;
    esp_err_t err = nvs_record_get(KEY_PENDING, &record, &size);
    if (err == ESP_OK && !provisioning_record_decode(record, size, pending)) {
        err = ESP_ERR_NOT_FOUND;
    }
    secret_free(record, size);
    return err;
}

esp_err_t device_store_load_pending(provisioning_t *pending, uint32_t *revision)
{
    lock();
    esp_err_t err = load_pending_locked(pending);
    *revision = s_pending_revision;
    unlock();
    return err;
}

esp_err_t device_store_drop_pending(uint32_t revision)
{
    lock();
    esp_err_t err = ESP_OK;
    if (revision == s_pending_revision) {
        err = nvs_record_erase(KEY_PENDING);
        nvs_record_purge();
    }
    unlock();
    return err;
}

/*
 * "pending" is erased last. Cut anywhere before, the device boots with it still there, tries it
 * again and repeats these writes, which have the same outcome. A certificate that was signed for an
 * earlier token but never proved itself must not pass for the answer to this one. Where the secrets do not
 * fit twice, a cut between the two loses them, and the device goes on with the certificate that works.
 */
static esp_err_t commit_locked(const provisioning_t *pending, uint8_t *record)
{
    esp_err_t err = nvs_record_put(KEY_WIFI, record, wifi_record_encode(&pending->wifi, record, PROV_RECORD_MAX));
    if (err == ESP_OK && pending->enrol.token[0] != '\0') {
        err = nvs_record_erase(KEY_CRT_NEW);
    }
    if (err != ESP_OK) {
        return err;
    }
    size_t size = enrolment_record_encode(&pending->enrol, record, PROV_RECORD_MAX);
    err = nvs_record_replace(KEY_ENROL, record, size);
    if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE && nvs_record_exists(KEY_CRT)) {
        err = nvs_record_erase(KEY_PENDING);
        return err == ESP_OK ? nvs_record_put(KEY_ENROL, record, size) : err;
    }
    return err == ESP_OK ? nvs_record_erase(KEY_PENDING) : err;
}

esp_err_t device_store_commit_pending(uint32_t revision)
{
    provisioning_t *pending = malloc(sizeof *pending);
    if (pending == NULL) {
        return ESP_ERR_NO_MEM;
    }
    lock();
    esp_err_t err = revision == s_pending_revision ? load_pending_locked(pending) : ESP_ERR_NOT_FOUND;
    if (err == ESP_OK) {
        uint8_t *record = malloc(PROV_RECORD_MAX); /* no sooner: reading took a block of that size as well */
        err = record != NULL ? commit_locked(pending, record) : ESP_ERR_NO_MEM;
        secret_free(record, PROV_RECORD_MAX);
        nvs_record_purge();
    } else if (err == ESP_ERR_NOT_FOUND) {
        err = ESP_OK; /* the credentials in use are proven ones already, or others have taken their place */
    }
    unlock();
    secret_free(pending, sizeof *pending);
    return err;
}

/** One record by itself, in a heap block that the caller frees. */
static esp_err_t load(const char *key, uint8_t **record, size_t *size)
{
    lock();
    esp_err_t err = nvs_record_get(key, record, size);
    unlock();
    return err;
}

esp_err_t device_store_load_wifi(wifi_credentials_t *wifi)
{
    uint8_t *record;
    size_t size;
    esp_err_t err = load(KEY_WIFI, &record, &size);
    if (err == ESP_OK && !wifi_record_decode(record, size, wifi)) {
        err = ESP_ERR_NOT_FOUND;
    }
    secret_free(record, size);
    return err;
}

esp_err_t device_store_load_enrolment(enrolment_t *enrol)
{
    uint8_t *record;
    size_t size;
    esp_err_t err = load(KEY_ENROL, &record, &size);
    if (err == ESP_OK && !enrolment_record_decode(record, size, enrol)) {
        err = ESP_ERR_NOT_FOUND;
    }
    secret_free(record, size);
    return err;
}

bool device_store_load_secret(bool is_token, char **secret)
{
    enrolment_t *enrol = calloc(1, sizeof *enrol);
    bool loaded = enrol != NULL;
    *secret = NULL;
    esp_err_t err = loaded ? device_store_load_enrolment(enrol) : ESP_ERR_NO_MEM;
    loaded = err != ESP_ERR_NO_MEM;
    if (err == ESP_OK) {
        const char *text = is_token ? enrol->token : enrol->bearer;
        size_t size = strlen(text) + 1;
        *secret = size > 1 ? malloc(size) : NULL;
        loaded = size == 1 || *secret != NULL;
        if (*secret != NULL) {
            memcpy(*secret, text, size);
        }
    }
    secret_free(enrol, sizeof *enrol);
    return loaded;
}

esp_err_t device_store_spend_token(void)
{
    lock();
    esp_err_t err = spend_token_locked();
    unlock();
    return err;
}

/*
 * Certificate first, token second: cut in between, the device boots with both, and a new
 * certificate means that the token is spent. The other order could lose both. A new certificate that
 * never proved itself may go before its successor comes where there is one that has worked; there, the
 * token goes first when both do not fit.
 */
esp_err_t device_store_save_certificate(const certificate_t *certificate)
{
    const uint8_t *record = certificate->record;
    size_t size = certificate->record_size;
    lock();
    esp_err_t err = nvs_record_exists(KEY_CRT) ? nvs_record_replace(KEY_CRT_NEW, record, size)
                                               : nvs_record_put(KEY_CRT_NEW, record, size);
    bool is_full = err == ESP_ERR_NVS_NOT_ENOUGH_SPACE && nvs_record_exists(KEY_CRT);
    if (err == ESP_OK || is_full) {
        err = spend_token_locked();
    }
    if (err == ESP_OK && is_full) {
        err = nvs_record_put(KEY_CRT_NEW, record, size);
    }
    unlock();
    return err;
}

static const char *slot_key(certificate_slot_t slot)
{
    return slot == CERTIFICATE_SLOT_NEW ? KEY_CRT_NEW : KEY_CRT;
}

esp_err_t device_store_load_certificate(certificate_slot_t slot, certificate_t *certificate)
{
    uint8_t *record;
    size_t size;
    *certificate = (certificate_t){0};
    esp_err_t err = load(slot_key(slot), &record, &size);
    return err == ESP_OK ? stored_certificate_read(record, size, certificate) : err;
}

esp_err_t device_store_drop_certificate(certificate_slot_t slot)
{
    lock();
    esp_err_t err = nvs_record_erase(slot_key(slot));
    unlock();
    return err;
}

/*
 * Cut between any two of these writes, the new slot is still full, and this runs again. The token goes
 * before the new slot does: a cut may have come before save_certificate() erased it, and a token beside
 * an active certificate alone would ask the backend for another one, which refuses it as spent. Where a
 * request waits and two of them do not fit, it stays in the new slot, until a connection after that.
 */
esp_err_t device_store_promote_certificate(void)
{
    uint8_t *record;
    size_t size;
    lock();
    esp_err_t err = nvs_record_get(KEY_CRT_NEW, &record, &size);
    if (err == ESP_OK) {
        err = spend_token_locked();
        err = err == ESP_OK ? nvs_record_replace(KEY_CRT, record, size) : err; /* it is in the new slot as well */
        bool has_to_wait = err == ESP_ERR_NVS_NOT_ENOUGH_SPACE && nvs_record_exists(KEY_PENDING);
        err = has_to_wait ? ESP_OK : err == ESP_OK ? nvs_record_erase(KEY_CRT_NEW) : err;
    } else if (err == ESP_ERR_NOT_FOUND) {
        err = ESP_OK; /* the active one is in use */
    }
    unlock();
    free(record);
    return err;
}

bool device_store_has_certificate(void)
{
    lock();
    bool found = nvs_record_exists(KEY_CRT_NEW) || nvs_record_exists(KEY_CRT);
    unlock();
    return found;
}

bool device_store_has_worked(void)
{
    lock();
    bool found = nvs_record_exists(KEY_CRT);
    unlock();
    return found;
}

/* The time, and after it the anchor: a device that was updated may hold the first alone. */
esp_err_t device_store_save_clock(const clock_record_t *record)
{
    const int64_t words[2] = {record->time, record->anchor};
    lock();
    esp_err_t err = nvs_record_put(KEY_CLOCK, (const uint8_t *)words, sizeof words);
    unlock();
    return err;
}

esp_err_t device_store_load_clock(clock_record_t *record)
{
    int64_t words[2] = {0};
    uint8_t *stored;
    size_t size;
    esp_err_t err = load(KEY_CLOCK, &stored, &size);
    if (err == ESP_OK && size != sizeof words && size != sizeof words[0]) {
        err = ESP_ERR_INVALID_SIZE;
    }
    if (err == ESP_OK) {
        memcpy(words, stored, size);
    }
    free(stored);
    *record = (clock_record_t){.time = words[0], .anchor = words[1]};
    return err;
}

/*
 * WiFi first: cut anywhere after, the device boots into AP_MODE, from where a reset can be repeated. What is
 * erased is overwritten before the partition goes: an erase of a sector that is cut leaves bits as it likes,
 * and those that say "erased" must not be all that keeps a record from coming back.
 */
esp_err_t device_store_erase(bool wifi_only)
{
    static const char *const KEYS[] = {KEY_PENDING, KEY_WIFI, KEY_ENROL, KEY_CRT_NEW, KEY_CRT, KEY_CLOCK};
    size_t count = wifi_only ? 3 : sizeof KEYS / sizeof KEYS[0];
    esp_err_t err = ESP_OK;
    lock();
    for (size_t i = 0; i < count; i++) {
        esp_err_t failed = nvs_record_erase(KEYS[i]);
        err = err == ESP_OK ? failed : err;
    }
    nvs_record_purge();
    if (!wifi_only) {
        err = nvs_record_erase_all();
    }
    unlock();
    return err;
}
