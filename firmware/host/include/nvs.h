/*
 * Non-volatile storage: the part of ESP-IDF's nvs.h that the firmware may use.
 *
 * Values and error codes are ESP-IDF 5.5's. Everything is written to flash at once; nvs_commit
 * has nothing left to do, as on the chip. All functions may be called from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t nvs_handle_t;

#define ESP_ERR_NVS_BASE 0x1100
#define ESP_ERR_NVS_NOT_INITIALIZED (ESP_ERR_NVS_BASE + 0x01)
#define ESP_ERR_NVS_NOT_FOUND (ESP_ERR_NVS_BASE + 0x02)
#define ESP_ERR_NVS_TYPE_MISMATCH (ESP_ERR_NVS_BASE + 0x03)
#define ESP_ERR_NVS_READ_ONLY (ESP_ERR_NVS_BASE + 0x04)
#define ESP_ERR_NVS_NOT_ENOUGH_SPACE (ESP_ERR_NVS_BASE + 0x05)
#define ESP_ERR_NVS_INVALID_NAME (ESP_ERR_NVS_BASE + 0x06)
#define ESP_ERR_NVS_INVALID_HANDLE (ESP_ERR_NVS_BASE + 0x07)
#define ESP_ERR_NVS_REMOVE_FAILED (ESP_ERR_NVS_BASE + 0x08)
#define ESP_ERR_NVS_KEY_TOO_LONG (ESP_ERR_NVS_BASE + 0x09)
#define ESP_ERR_NVS_PAGE_FULL (ESP_ERR_NVS_BASE + 0x0a)
#define ESP_ERR_NVS_INVALID_STATE (ESP_ERR_NVS_BASE + 0x0b)
#define ESP_ERR_NVS_INVALID_LENGTH (ESP_ERR_NVS_BASE + 0x0c)
#define ESP_ERR_NVS_NO_FREE_PAGES (ESP_ERR_NVS_BASE + 0x0d)
#define ESP_ERR_NVS_VALUE_TOO_LONG (ESP_ERR_NVS_BASE + 0x0e)
#define ESP_ERR_NVS_PART_NOT_FOUND (ESP_ERR_NVS_BASE + 0x0f)
#define ESP_ERR_NVS_NEW_VERSION_FOUND (ESP_ERR_NVS_BASE + 0x10)
#define ESP_ERR_NVS_XTS_ENCR_FAILED (ESP_ERR_NVS_BASE + 0x11)
#define ESP_ERR_NVS_XTS_DECR_FAILED (ESP_ERR_NVS_BASE + 0x12)
#define ESP_ERR_NVS_XTS_CFG_FAILED (ESP_ERR_NVS_BASE + 0x13)
#define ESP_ERR_NVS_XTS_CFG_NOT_FOUND (ESP_ERR_NVS_BASE + 0x14)
#define ESP_ERR_NVS_ENCR_NOT_SUPPORTED (ESP_ERR_NVS_BASE + 0x15)
#define ESP_ERR_NVS_KEYS_NOT_INITIALIZED (ESP_ERR_NVS_BASE + 0x16)
#define ESP_ERR_NVS_CORRUPT_KEY_PART (ESP_ERR_NVS_BASE + 0x17)
#define ESP_ERR_NVS_CONTENT_DIFFERS (ESP_ERR_NVS_BASE + 0x18)
#define ESP_ERR_NVS_WRONG_ENCRYPTION (ESP_ERR_NVS_BASE + 0x19)

#define NVS_DEFAULT_PART_NAME "nvs"

#define NVS_PART_NAME_MAX_SIZE 16                  /* without the terminator */
#define NVS_KEY_NAME_MAX_SIZE 16                   /* with the terminator */
#define NVS_NS_NAME_MAX_SIZE NVS_KEY_NAME_MAX_SIZE /* with the terminator */

typedef enum {
    NVS_READONLY,
    NVS_READWRITE,
} nvs_open_mode_t;

typedef enum {
    NVS_TYPE_U8 = 0x01,
    NVS_TYPE_I8 = 0x11,
    NVS_TYPE_U16 = 0x02,
    NVS_TYPE_I16 = 0x12,
    NVS_TYPE_U32 = 0x04,
    NVS_TYPE_I32 = 0x14,
    NVS_TYPE_U64 = 0x08,
    NVS_TYPE_I64 = 0x18,
    NVS_TYPE_STR = 0x21,
    NVS_TYPE_BLOB = 0x42,
    NVS_TYPE_ANY = 0xff,
} nvs_type_t;

typedef struct {
    char namespace_name[NVS_NS_NAME_MAX_SIZE];
    char key[NVS_KEY_NAME_MAX_SIZE];
    nvs_type_t type;
} nvs_entry_info_t;

typedef struct nvs_opaque_iterator_t *nvs_iterator_t;

/** Entries of 32 bytes; 126 of them on each page of the partition. */
typedef struct {
    size_t used_entries;
    size_t free_entries;      /* including the page kept for garbage collection */
    size_t available_entries; /* free_entries without that page */
    size_t total_entries;
    size_t namespace_count;
} nvs_stats_t;

/**
 * Open a namespace of the default partition; NVS_READWRITE creates it when it is missing.
 *
 * @return ESP_OK, ESP_ERR_NVS_NOT_INITIALIZED, ESP_ERR_NVS_NOT_FOUND (missing, NVS_READONLY),
 *         ESP_ERR_NVS_KEY_TOO_LONG (name over 15 bytes), ESP_ERR_NVS_NOT_ENOUGH_SPACE,
 *         ESP_ERR_NO_MEM.
 */
esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle);

/** Release a handle; an unknown one is ignored. */
void nvs_close(nvs_handle_t handle);

/** @return ESP_OK, ESP_ERR_NVS_INVALID_HANDLE. */
esp_err_t nvs_commit(nvs_handle_t handle);

/**
 * Store a value under `key` (at most 15 bytes), replacing whatever value it had. The old value
 * is readable until the new one is complete in flash, also across a loss of power.
 *
 * Strings: at most 4000 bytes with the terminator. Blobs: at most 4000 bytes for each page of
 * the partition but one (508000 at the most).
 *
 * @return ESP_OK, ESP_ERR_NVS_INVALID_HANDLE, ESP_ERR_NVS_READ_ONLY, ESP_ERR_NVS_KEY_TOO_LONG,
 *         ESP_ERR_NVS_VALUE_TOO_LONG, ESP_ERR_NVS_NOT_ENOUGH_SPACE (the old value is kept).
 */
esp_err_t nvs_set_i8(nvs_handle_t handle, const char *key, int8_t value);
esp_err_t nvs_set_u8(nvs_handle_t handle, const char *key, uint8_t value);
esp_err_t nvs_set_i16(nvs_handle_t handle, const char *key, int16_t value);
esp_err_t nvs_set_u16(nvs_handle_t handle, const char *key, uint16_t value);
esp_err_t nvs_set_i32(nvs_handle_t handle, const char *key, int32_t value);
esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value);
esp_err_t nvs_set_i64(nvs_handle_t handle, const char *key, int64_t value);
esp_err_t nvs_set_u64(nvs_handle_t handle, const char *key, uint64_t value);
esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value);
esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length);

/**
 * Read an integer. `out_value` is untouched on failure.
 * @return ESP_OK, ESP_ERR_NVS_INVALID_HANDLE, ESP_ERR_NVS_NOT_FOUND (no such key, or the key
 *         holds another type: ESP-IDF does not tell the two apart).
 */
esp_err_t nvs_get_i8(nvs_handle_t handle, const char *key, int8_t *out_value);
esp_err_t nvs_get_u8(nvs_handle_t handle, const char *key, uint8_t *out_value);
esp_err_t nvs_get_i16(nvs_handle_t handle, const char *key, int16_t *out_value);
esp_err_t nvs_get_u16(nvs_handle_t handle, const char *key, uint16_t *out_value);
esp_err_t nvs_get_i32(nvs_handle_t handle, const char *key, int32_t *out_value);
esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *out_value);
esp_err_t nvs_get_i64(nvs_handle_t handle, const char *key, int64_t *out_value);
esp_err_t nvs_get_u64(nvs_handle_t handle, const char *key, uint64_t *out_value);

/**
 * Read a string (with its terminator) or a blob. `length` holds the size of the buffer in bytes
 * and receives the size of the value; with `out_value` NULL only the size is reported.
 * @return As the integers, and ESP_ERR_NVS_INVALID_LENGTH (buffer too small, or `length` NULL).
 */
esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value, size_t *length);
esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length);

/** Tell whether a key exists, and its type (`out_type` may be NULL). ESP_ERR_NVS_NOT_FOUND if not. */
esp_err_t nvs_find_key(nvs_handle_t handle, const char *key, nvs_type_t *out_type);

/** @return ESP_OK, ESP_ERR_NVS_INVALID_HANDLE, ESP_ERR_NVS_READ_ONLY, ESP_ERR_NVS_NOT_FOUND. */
esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key);

/** Erase every key of the namespace. @return as nvs_erase_key, without NOT_FOUND. */
esp_err_t nvs_erase_all(nvs_handle_t handle);

/**
 * Count the entries of a partition (NULL: the default one).
 * @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_NVS_NOT_INITIALIZED.
 */
esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats);

/** Count the entries that the handle's namespace uses. ESP_ERR_INVALID_ARG, ESP_ERR_NVS_INVALID_HANDLE. */
esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries);

/**
 * Iterate over the keys of a namespace (NULL: of all namespaces).
 *
 * On failure the iterator becomes NULL (except with ESP_ERR_INVALID_ARG); otherwise release it
 * with nvs_release_iterator. Writing while iterating may skip or repeat keys.
 *
 * @return ESP_OK, ESP_ERR_NVS_NOT_FOUND (no, or no further, entry), ESP_ERR_NO_MEM,
 *         ESP_ERR_INVALID_ARG.
 */
esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name, nvs_type_t type,
                         nvs_iterator_t *output_iterator);
esp_err_t nvs_entry_next(nvs_iterator_t *iterator);
esp_err_t nvs_entry_info(const nvs_iterator_t iterator, nvs_entry_info_t *out_info);
void nvs_release_iterator(nvs_iterator_t iterator);

#ifdef __cplusplus
}
#endif
