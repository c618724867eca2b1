#include "nvs_format.h"

#include <string.h>

uint32_t nvs_crc32(uint32_t crc, const void *data, size_t size)
{
    /* Four bits at a time: a table small enough to read. Polynomial 0xEDB88320, reflected. */
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    const uint8_t *bytes = data;
    crc = ~crc;
    for (size_t i = 0; i < size; ++i) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 0x0F];
        crc = (crc >> 4) ^ table[crc & 0x0F];
    }
    return ~crc;
}

uint32_t nvs_page_header_crc(const nvs_page_header_t *header)
{
    const size_t from = offsetof(nvs_page_header_t, sequence);
    return nvs_crc32(NVS_CRC_SEED, (const uint8_t *)header + from,
                     offsetof(nvs_page_header_t, crc32) - from);
}

uint32_t nvs_item_crc(const nvs_item_t *item)
{
    const size_t after = offsetof(nvs_item_t, key);
    uint32_t crc = nvs_crc32(NVS_CRC_SEED, item, offsetof(nvs_item_t, crc32));
    return nvs_crc32(crc, (const uint8_t *)item + after, sizeof(*item) - after);
}

bool nvs_type_has_body(uint8_t type)
{
    return type == NVS_TYPE_STR || type == NVS_ITEM_BLOB_V1 || type == NVS_ITEM_BLOB_DATA;
}

size_t nvs_body_entries(size_t size)
{
    return (size + NVS_ENTRY_SIZE - 1) / NVS_ENTRY_SIZE;
}

static bool body_is_valid(const nvs_item_t *item, size_t index)
{
    const size_t room = NVS_ENTRY_COUNT - index;
    if (item->type == NVS_ITEM_BLOB_DATA && item->chunk == NVS_CHUNK_NONE) {
        return false;
    }
    return item->span <= room && item->span == 1 + nvs_body_entries(item->body.size);
}

bool nvs_item_is_valid(const nvs_item_t *item, size_t index)
{
    if (item->crc32 != nvs_item_crc(item)) {
        return false;
    }
    switch (item->type) {
    case NVS_TYPE_U8:
    case NVS_TYPE_I8:
    case NVS_TYPE_U16:
    case NVS_TYPE_I16:
    case NVS_TYPE_U32:
    case NVS_TYPE_I32:
    case NVS_TYPE_U64:
    case NVS_TYPE_I64:
        return item->span == 1;
    case NVS_ITEM_BLOB_INDEX:
        return item->span == 1 && item->chunk == NVS_CHUNK_NONE &&
               item->blob.size <= NVS_CHUNK_COUNT_MAX * NVS_CHUNK_MAX;
    case NVS_TYPE_STR:
    case NVS_ITEM_BLOB_V1:
    case NVS_ITEM_BLOB_DATA:
        return body_is_valid(item, index);
    default:
        return false;
    }
}

bool nvs_item_has_key(const nvs_item_t *item, const char *key)
{
    return strncmp(item->key, key, NVS_KEY_MAX) == 0;
}

bool nvs_item_is_value(const nvs_item_t *item)
{
    return item->type != NVS_ITEM_BLOB_DATA;
}

nvs_type_t nvs_item_api_type(const nvs_item_t *item)
{
    return item->type == NVS_ITEM_BLOB_INDEX || item->type == NVS_ITEM_BLOB_V1
               ? NVS_TYPE_BLOB
               : (nvs_type_t)item->type;
}
