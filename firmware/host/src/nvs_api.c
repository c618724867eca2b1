#include "nvs_api.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "flash_file.h"
#include "nvs_flash.h"

/* ESP-IDF, "Partition Tables": type data, subtype nvs. */
#define PARTITION_TYPE_DATA 0x01
#define PARTITION_SUBTYPE_NVS 0x02
#define PARTITION_FLAG_ENCRYPTED 0x01u
#define PARTITION_FLAG_READONLY 2u

typedef struct open_handle {
    struct open_handle *next;
    nvs_handle_t id;
    uint8_t ns;
    bool read_only;
} open_handle_t;

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static nvs_log_t s_log;
static bool s_ready;
static bool s_is_readonly; /* the partition table says so */
static open_handle_t *s_handles; /* owned */
static nvs_handle_t s_last_id;

nvs_log_t *nvs_lock_log(void)
{
    pthread_mutex_lock(&s_lock);
    return s_ready ? &s_log : NULL;
}

void nvs_unlock(void)
{
    pthread_mutex_unlock(&s_lock);
}

/* Leave with the lock released; keeps the exits of the functions below to one line. */
static esp_err_t unlocked(esp_err_t err)
{
    nvs_unlock();
    return err;
}

static esp_err_t find_partition(flash_region_t *region)
{
    esp_err_t err = flash_file_open(getenv("PROV_HOST_FLASH"), FLASH_FILE_IN_PLACE);
    if (err != ESP_OK) {
        return err;
    }
    err = flash_file_find_partition(PARTITION_TYPE_DATA, PARTITION_SUBTYPE_NVS,
                                    NVS_DEFAULT_PART_NAME, region);
    if (err == ESP_OK && (region->flags & PARTITION_FLAG_ENCRYPTED) != 0) {
        return ESP_ERR_NVS_WRONG_ENCRYPTION;
    }
    return err;
}

esp_err_t nvs_flash_init(void)
{
    if (nvs_lock_log() != NULL) {
        return unlocked(ESP_OK);
    }
    flash_region_t region;
    esp_err_t err = find_partition(&region);
    if (err == ESP_OK) {
        err = nvs_values_open(&s_log, region.offset, region.size);
    }
    s_ready = err == ESP_OK;
    s_is_readonly = s_ready && (region.flags & PARTITION_FLAG_READONLY) != 0;
    return unlocked(err);
}

static void deinit_locked(void)
{
    while (s_handles != NULL) {
        open_handle_t *next = s_handles->next;
        free(s_handles);
        s_handles = next;
    }
    nvs_log_close(&s_log);
    s_ready = false;
}

esp_err_t nvs_flash_deinit(void)
{
    if (nvs_lock_log() == NULL) {
        return unlocked(ESP_ERR_NVS_NOT_INITIALIZED);
    }
    deinit_locked();
    return unlocked(ESP_OK);
}

esp_err_t nvs_flash_erase(void)
{
    if (nvs_lock_log() != NULL) {
        deinit_locked();
    }
    flash_region_t region;
    esp_err_t err = find_partition(&region);
    for (uint32_t at = 0; err == ESP_OK && at + FLASH_SECTOR_SIZE <= region.size;
         at += FLASH_SECTOR_SIZE) {
        err = flash_file_erase_sector(region.offset + at);
    }
    return unlocked(err);
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle)
{
    nvs_log_t *log = nvs_lock_log();
    if (log == NULL) {
        return unlocked(ESP_ERR_NVS_NOT_INITIALIZED);
    }
    if (open_mode == NVS_READWRITE && s_is_readonly) {
        return unlocked(ESP_ERR_NOT_ALLOWED);
    }
    uint8_t ns = 0;
    esp_err_t err = nvs_namespace_find(log, namespace_name, open_mode == NVS_READWRITE, &ns);
    if (err != ESP_OK) {
        return unlocked(err);
    }
    open_handle_t *handle = malloc(sizeof(*handle));
    if (handle == NULL) {
        return unlocked(ESP_ERR_NO_MEM);
    }
    *handle = (open_handle_t){
        .next = s_handles,
        .id = ++s_last_id,
        .ns = ns,
        .read_only = open_mode == NVS_READONLY,
    };
    s_handles = handle;
    *out_handle = handle->id;
    return unlocked(ESP_OK);
}

void nvs_close(nvs_handle_t handle)
{
    (void)nvs_lock_log();
    for (open_handle_t **link = &s_handles; *link != NULL; link = &(*link)->next) {
        if ((*link)->id == handle) {
            open_handle_t *closed = *link;
            *link = closed->next;
            free(closed);
            break;
        }
    }
    nvs_unlock();
}

/* Take the lock and look a handle up. The lock is held in every case. */
static esp_err_t lock_handle(nvs_handle_t id, bool to_write, uint8_t *ns)
{
    (void)nvs_lock_log();
    for (const open_handle_t *handle = s_handles; handle != NULL; handle = handle->next) {
        if (handle->id == id) {
            *ns = handle->ns;
            return to_write && handle->read_only ? ESP_ERR_NVS_READ_ONLY : ESP_OK;
        }
    }
    return ESP_ERR_NVS_INVALID_HANDLE;
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    uint8_t ns;
    return unlocked(lock_handle(handle, false, &ns));
}

static esp_err_t set_value(nvs_handle_t handle, nvs_type_t type, const char *key, const void *data,
                           size_t size)
{
    nvs_record_t record = {.type = (uint8_t)type, .key = key, .data = data, .size = size};
    esp_err_t err = lock_handle(handle, true, &record.ns);
    if (err == ESP_OK) {
        err = nvs_value_set(&s_log, &record);
    }
    return unlocked(err);
}

static esp_err_t get_integer(nvs_handle_t handle, nvs_type_t type, const char *key, void *out,
                             size_t size)
{
    uint8_t ns;
    esp_err_t err = lock_handle(handle, false, &ns);
    if (err == ESP_OK) {
        err = nvs_value_get(&s_log, ns, (uint8_t)type, key, out, size);
    }
    return unlocked(err);
}

#define INTEGER_ACCESS(suffix, c_type, nvs_type)                                        \
    esp_err_t nvs_set_##suffix(nvs_handle_t handle, const char *key, c_type value)      \
    {                                                                                   \
        return set_value(handle, nvs_type, key, &value, sizeof(value));                 \
    }                                                                                   \
    esp_err_t nvs_get_##suffix(nvs_handle_t handle, const char *key, c_type *out_value) \
    {                                                                                   \
        return get_integer(handle, nvs_type, key, out_value, sizeof(*out_value));       \
    }

INTEGER_ACCESS(i8, int8_t, NVS_TYPE_I8)
INTEGER_ACCESS(u8, uint8_t, NVS_TYPE_U8)
INTEGER_ACCESS(i16, int16_t, NVS_TYPE_I16)
INTEGER_ACCESS(u16, uint16_t, NVS_TYPE_U16)
INTEGER_ACCESS(i32, int32_t, NVS_TYPE_I32)
INTEGER_ACCESS(u32, uint32_t, NVS_TYPE_U32)
INTEGER_ACCESS(i64, int64_t, NVS_TYPE_I64)
INTEGER_ACCESS(u64, uint64_t, NVS_TYPE_U64)

esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value)
{
    return set_value(handle, NVS_TYPE_STR, key, value, strlen(value) + 1);
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length)
{
    return set_value(handle, NVS_TYPE_BLOB, key, value, length);
}

static esp_err_t get_variable(nvs_handle_t handle, nvs_type_t type, const char *key, void *out,
                              size_t *length)
{
    uint8_t ns;
    size_t size = 0;
    esp_err_t err = lock_handle(handle, false, &ns);
    if (err == ESP_OK) {
        err = nvs_value_size(&s_log, ns, (uint8_t)type, key, &size);
    }
    if (err != ESP_OK) {
        return unlocked(err);
    }
    if (length == NULL) {
        return unlocked(ESP_ERR_NVS_INVALID_LENGTH);
    }
    const size_t room = *length;
    *length = size;
    if (out == NULL) {
        return unlocked(ESP_OK);
    }
    if (room < size) {
        return unlocked(ESP_ERR_NVS_INVALID_LENGTH);
    }
    return unlocked(nvs_value_get(&s_log, ns, (uint8_t)type, key, out, size));
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value, size_t *length)
{
    return get_variable(handle, NVS_TYPE_STR, key, out_value, length);
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length)
{
    return get_variable(handle, NVS_TYPE_BLOB, key, out_value, length);
}

esp_err_t nvs_find_key(nvs_handle_t handle, const char *key, nvs_type_t *out_type)
{
    nvs_query_t query = {.type = NVS_ITEM_ANY, .key = key};
    nvs_place_t place;
    esp_err_t err = lock_handle(handle, false, &query.ns);
    if (err != ESP_OK) {
        return unlocked(err);
    }
    if (!nvs_log_find(&s_log, &query, &place)) {
        return unlocked(ESP_ERR_NVS_NOT_FOUND);
    }
    if (out_type != NULL) {
        *out_type = nvs_item_api_type(nvs_item_at(&place));
    }
    return unlocked(ESP_OK);
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
    uint8_t ns;
    esp_err_t err = lock_handle(handle, true, &ns);
    if (err == ESP_OK) {
        err = nvs_value_erase(&s_log, ns, key);
    }
    return unlocked(err);
}

esp_err_t nvs_erase_all(nvs_handle_t handle)
{
    uint8_t ns;
    esp_err_t err = lock_handle(handle, true, &ns);
    if (err == ESP_OK) {
        err = nvs_namespace_erase(&s_log, ns);
    }
    return unlocked(err);
}

esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats)
{
    if (nvs_stats == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    memset(nvs_stats, 0, sizeof(*nvs_stats));
    const nvs_log_t *log = nvs_lock_log();
    if (log == NULL || (part_name != NULL && strcmp(part_name, NVS_DEFAULT_PART_NAME) != 0)) {
        return unlocked(ESP_ERR_NVS_NOT_INITIALIZED);
    }
    nvs_log_stats(log, nvs_stats);
    return unlocked(ESP_OK);
}

esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries)
{
    if (used_entries == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    uint8_t ns;
    *used_entries = 0;
    esp_err_t err = lock_handle(handle, false, &ns);
    if (err == ESP_OK) {
        *used_entries = nvs_namespace_entries(&s_log, ns);
    }
    return unlocked(err);
}
