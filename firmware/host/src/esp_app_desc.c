/* The application description; PROV_FW_VERSION and PROV_BUILD_DATE come from CMake. No hour: builds repeat. */
#include "esp_app_desc.h"

static const esp_app_desc_t DESCRIPTION = {
    .magic_word = ESP_APP_DESC_MAGIC_WORD,
    .version = PROV_FW_VERSION,
    .project_name = "prov_firmware",
    .date = PROV_BUILD_DATE,
    .idf_ver = "v5.5.0-host",
};

const esp_app_desc_t *esp_app_get_description(void)
{
    return &DESCRIPTION;
}
