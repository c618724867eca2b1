#include "access_gate.h"

#include <stdlib.h>
#include <string.h>

#include "device_clock.h"
#include "esp_log.h"
#include "http_json.h"
#include "sdkconfig.h"

static const char *TAG = "http";
static pairing_t s_pairing;
static rate_limit_t s_rate;

pairing_verdict_t access_gate_pairing(httpd_req_t *req, const char *field)
{
    char *header = http_header_copy(req, "X-Pairing-Secret", PAIRING_SECRET_MAX + 1);
    pairing_verdict_t verdict = pairing_check(&s_pairing, CONFIG_PROV_PAIRING_SECRET, header != NULL ? header : field);
    if (header != NULL) {
        memset(header, 0, strlen(header));
        free(header);
    }
    if (verdict != PAIRING_OK) {
        ESP_LOGW(TAG, "%s", verdict == PAIRING_LOCKED ? "locked until a restart: too many wrong pairing secrets"
                                                     : "a request without the pairing secret");
    }
    return verdict;
}

uint32_t access_gate_wait_ms(void)
{
    return rate_limit_take(&s_rate, device_clock_uptime_ms());
}
