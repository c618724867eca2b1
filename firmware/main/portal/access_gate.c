#include "access_gate.h"

#include "device_clock.h"
#include "esp_log.h"
#include "http_json.h"
#include "sdkconfig.h"
#include "secret_wipe.h"

static const char *TAG = "http";
static pairing_t s_pairing;
static rate_limit_t s_rate;

pairing_verdict_t access_gate_pairing(httpd_req_t *req, const char *field)
{
    char header[PAIRING_SECRET_MAX + 2];
    bool has_header = http_header_read(req, "X-Pairing-Secret", header, sizeof header);
    pairing_verdict_t verdict = pairing_check(&s_pairing, CONFIG_PROV_PAIRING_SECRET, has_header ? header : field);
    secret_wipe(header, sizeof header);
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
