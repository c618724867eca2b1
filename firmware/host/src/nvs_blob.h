/* Blobs: cut into chunks, each filling what is left of a page; the index that makes them a value is written last. */
#pragma once

#include "nvs_log.h"

/** Append a blob's chunks and then its index; `index_place` receives the latter. */
esp_err_t nvs_blob_append(nvs_log_t *log, const nvs_record_t *record, nvs_place_t *index_place);

/** Read a blob by its index; erases the blob if a chunk is missing or damaged. */
esp_err_t nvs_blob_read(const nvs_log_t *log, const nvs_place_t *index_place, void *out);

/** Erase an index, then its chunks: chunks without an index are found and erased at the next start. */
esp_err_t nvs_blob_erase(const nvs_log_t *log, const nvs_place_t *index_place);
