#include "device_store.h"

#include <stdlib.h>

#include "esp_log.h"
#include "flash_purge.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "secret_wipe.h"

#define NAMESPACE "device_config"
#define KEY_PENDING "pending"
#define KEY_WIFI "wifi"
#define KEY_ENROL "enrol"
#define KEY_CRT_NEW "crt_new"
#define KEY_CRT "crt"
#define KEY_CLOCK "clock"

#define RECORD_SIZE_MAX (2 * PROV_PEM_MAX + 64)
_Static_assert(RECORD_SIZE_MAX >= PROV_RECORD_MAX, "the longest record is a pair of certificates");

static const char *TAG = "store";
static SemaphoreHandle_t s_lock; /* makes each sequence of writes one step for the other tasks */
static nvs_handle_t s_nvs;
static bool s_open;
static uint32_t s_pending_revision; /* counts the credentials that were saved since boot */

static void lock(void)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
}

static void unlock(void)
{
    xSemaphoreGive(s_lock);
}

static esp_err_t init_partition(void)
{
    esp_err_t err = nvs_flash_init();
    if (err != ESP_ERR_NVS_NO_FREE_PAGES && err != ESP_ERR_NVS_NEW_VERSION_FOUND) {
        return err;
    }
    /* Both mean that the content cannot be used by this NVS in any way. */
    ESP_LOGW(TAG, "formatting the storage: %s", esp_err_to_name(err));
    err = nvs_flash_erase();
    return err == ESP_OK ? nvs_flash_init() : err;
}

/** Of what was erased or replaced, nothing stays. What a loss of power leaves of it, the next call takes. */
static void purge(void)
{
    esp_err_t err = flash_purge_erased(s_nvs);
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "what was erased can still be read in the flash: %s", esp_err_to_name(err));
    }
}

esp_err_t device_store_init(void)
{
    s_lock = xSemaphoreCreateMutex();
    if (s_lock == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = init_partition();
    if (err == ESP_OK) {
        err = nvs_open(NAMESPACE, NVS_READWRITE, &s_nvs);
    }
    s_open = err == ESP_OK;
    if (s_open) {
        purge();
    } else {
        ESP_LOGE(TAG, "storage is not usable: %s", esp_err_to_name(err));
    }
    return err;
}

/* The put/get/erase helpers below, and purge() above, expect the lock to be held. */

static esp_err_t write_record(const char *key, const uint8_t *record, size_t size)
{
    if (!s_open) {
        return ESP_ERR_INVALID_STATE;
    }
    if (size == 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    esp_err_t err = nvs_set_blob(s_nvs, key, record, size);
    return err == ESP_OK ? nvs_commit(s_nvs) : err;
}

static esp_err_t logged(const char *key, esp_err_t err)
{
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot write \"%s\": %s", key, esp_err_to_name(err));
    }
    return err;
}

/** The old value stays until the new one is there. */
static esp_err_t put(const char *key, const uint8_t *record, size_t size)
{
    return logged(key, write_record(key, record, size));
}

static esp_err_t erase(const char *key);

/**
 * The same, but where both do not fit, the old value goes first. For what a loss of power in between does not take
 * from the device: it is there in another record, or nobody counts on it any more.
 */
static esp_err_t replace(const char *key, const uint8_t *record, size_t size)
{
    esp_err_t err = write_record(key, record, size);
    if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE) {
        err = erase(key);
        err = err == ESP_OK ? write_record(key, record, size) : err;
    }
    return logged(key, err);
}

/** Reads a blob into a heap block that the caller frees. */
static esp_err_t get(const char *key, uint8_t **record, size_t *size)
{
    *record = NULL;
    *size = 0;
    if (!s_open) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = nvs_get_blob(s_nvs, key, NULL, size);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        return ESP_ERR_NOT_FOUND;
    }
    if (err != ESP_OK || *size == 0 || *size > RECORD_SIZE_MAX) {
        return err != ESP_OK ? err : ESP_ERR_INVALID_SIZE;
    }
    *record = malloc(*size);
    if (*record == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = nvs_get_blob(s_nvs, key, *record, size);
    if (err != ESP_OK) {
        secret_free(*record, *size);
        *record = NULL;
    }
    return err;
}

static esp_err_t erase(const char *key)
{
    if (!s_open) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = nvs_erase_key(s_nvs, key);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        return ESP_OK;
    }
    if (err == ESP_OK) {
        err = nvs_commit(s_nvs);
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot erase \"%s\": %s", key, esp_err_to_name(err));
    }
    return err;
}

static bool has_record(const char *key)
{
    size_t size = 0;
    return s_open && nvs_get_blob(s_nvs, key, NULL, &size) == ESP_OK;
}

/** A loss of power in the middle loses the bearer of no run: the record is replaced as a whole. */
static esp_err_t spend_token_locked(void)
{
    uint8_t *record = NULL;
    size_t size = 0;
    esp_err_t err = get(KEY_ENROL, &record, &size);
    size_t left = size;
    if (err == ESP_OK && enrolment_record_spend(record, &left)) {
        err = put(KEY_ENROL, record, left);
        purge();
    } else if (err == ESP_ERR_NOT_FOUND) {
        err = ESP_OK;
    }
    secret_free(record, size);
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
    esp_err_t err = has_record(KEY_CRT_NEW) ? spend_token_locked() : ESP_OK;
    if (err == ESP_OK) {
        err = replace(KEY_PENDING, record, provisioning_record_encode(pending, record, PROV_RECORD_MAX));
    }
    s_pending_revision++;
    if (err == ESP_OK) {
        purge(); /* of the one before */
    }
    unlock();
    secret_free(record, PROV_RECORD_MAX);
    return err;
}

static esp_err_t load_pending_locked(provisioning_t *pending)
{
    uint8_t *record = NULL;
    size_t size = 0;
    esp_err_t err = get(KEY_PENDING, &record, &size);
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
        err = erase(KEY_PENDING);
        purge();
    }
    unlock();
    return err;
}

/*
 * "pending" is erased last. Cut anywhere before, the device boots with it still there, tries it
 * again and repeats these writes, which have the same outcome. A certificate that was signed for an
 * earlier token but never proved itself must not pass for the answer to this one.
 */
static esp_err_t commit_locked(const provisioning_t *pending, uint8_t *record)
{
    esp_err_t err = put(KEY_WIFI, record, wifi_record_encode(&pending->wifi, record, PROV_RECORD_MAX));
    if (err == ESP_OK && pending->enrol.token[0] != '\0') {
        err = erase(KEY_CRT_NEW);
    }
    if (err == ESP_OK) {
        err = replace(KEY_ENROL, record, enrolment_record_encode(&pending->enrol, record, PROV_RECORD_MAX));
    }
    return err == ESP_OK ? erase(KEY_PENDING) : err;
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
        purge();
    } else if (err == ESP_ERR_NOT_FOUND) {
        err = ESP_OK; /* the credentials in use are proven ones already, or others have taken their place */
    }
    unlock();
    secret_free(pending, sizeof *pending);
    return err;
}

esp_err_t device_store_load_wifi(wifi_credentials_t *wifi)
{
    uint8_t *record = NULL;
    size_t size = 0;
    lock();
    esp_err_t err = get(KEY_WIFI, &record, &size);
    unlock();
    if (err == ESP_OK && !wifi_record_decode(record, size, wifi)) {
        err = ESP_ERR_NOT_FOUND;
    }
    secret_free(record, size);
    return err;
}

static esp_err_t load_enrolment_locked(enrolment_t *enrol)
{
    uint8_t *record = NULL;
    size_t size = 0;
    esp_err_t err = get(KEY_ENROL, &record, &size);
    if (err == ESP_OK && !enrolment_record_decode(record, size, enrol)) {
        err = ESP_ERR_NOT_FOUND;
    }
    secret_free(record, size);
    return err;
}

esp_err_t device_store_load_enrolment(enrolment_t *enrol)
{
    lock();
    esp_err_t err = load_enrolment_locked(enrol);
    unlock();
    return err;
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
 * never proved itself may go before its successor comes where there is one that has worked.
 */
esp_err_t device_store_save_certificate(const certificate_t *certificate)
{
    lock();
    esp_err_t err = has_record(KEY_CRT) ? replace(KEY_CRT_NEW, certificate->record, certificate->record_size)
                                        : put(KEY_CRT_NEW, certificate->record, certificate->record_size);
    if (err == ESP_OK) {
        err = spend_token_locked();
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
    uint8_t *record = NULL;
    size_t size = 0;
    *certificate = (certificate_t){0};
    lock();
    esp_err_t err = get(slot_key(slot), &record, &size);
    unlock();
    if (err == ESP_OK && !certificate_adopt(record, size, certificate)) {
        err = ESP_ERR_NOT_FOUND;
    }
    return err;
}

esp_err_t device_store_drop_certificate(certificate_slot_t slot)
{
    lock();
    esp_err_t err = erase(slot_key(slot));
    unlock();
    return err;
}

/*
 * Cut between any two of these writes, the new slot is still full, and this runs again. The token goes
 * before the new slot does: a cut may have come before save_certificate() erased it, and a token beside
 * an active certificate alone would ask the backend for another one, which refuses it as spent.
 */
esp_err_t device_store_promote_certificate(void)
{
    uint8_t *record = NULL;
    size_t size = 0;
    lock();
    esp_err_t err = get(KEY_CRT_NEW, &record, &size);
    if (err == ESP_OK) {
        err = replace(KEY_CRT, record, size); /* it is in the new slot as well */
        err = err == ESP_OK ? spend_token_locked() : err;
        err = err == ESP_OK ? erase(KEY_CRT_NEW) : err;
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
    bool found = has_record(KEY_CRT_NEW) || has_record(KEY_CRT);
    unlock();
    return found;
}

bool device_store_has_worked(void)
{
    lock();
    bool found = has_record(KEY_CRT);
    unlock();
    return found;
}

/* The time, and after it the anchor: a device that was updated may hold the first alone. */
esp_err_t device_store_save_clock(const clock_record_t *record)
{
    const int64_t words[2] = {record->time, record->anchor};
    lock();
    esp_err_t err = put(KEY_CLOCK, (const uint8_t *)words, sizeof words);
    unlock();
    return err;
}

esp_err_t device_store_load_clock(clock_record_t *record)
{
    int64_t words[2] = {0};
    size_t size = sizeof words;
    lock();
    esp_err_t err = s_open ? nvs_get_blob(s_nvs, KEY_CLOCK, words, &size) : ESP_ERR_INVALID_STATE;
    unlock();
    if (err == ESP_OK && size != sizeof words && size != sizeof words[0]) {
        err = ESP_ERR_INVALID_SIZE;
    }
    *record = err == ESP_OK ? (clock_record_t){.time = words[0], .anchor = words[1]} : (clock_record_t){0};
    return err;
}

/** All of the partition, PHY calibration included; nothing is read or written until the next boot. */
static esp_err_t erase_partition(void)
{
    s_open = false;
    esp_err_t err = nvs_flash_erase(); /* which closes it first */
    esp_err_t failed = flash_purge_core_dump();
    return err == ESP_OK ? failed : err;
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
    esp_err_t err = s_open ? ESP_OK : ESP_ERR_INVALID_STATE;
    lock();
    for (size_t i = 0; i < count && s_open; i++) {
        esp_err_t failed = erase(KEYS[i]);
        err = err == ESP_OK ? failed : err;
    }
    if (s_open) {
        purge();
    }
    if (!wifi_only) {
        err = erase_partition();
    }
    unlock();
    return err;
}
