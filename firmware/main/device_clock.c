#include "device_clock.h"

#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>

#include "device_store.h"
#include "esp_err.h"
#include "esp_idf_version.h"
#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "provision_request.h"
#include "sdkconfig.h"
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 0)
#include "esp_netif_sntp.h"
#else
#include "esp_sntp.h"
#endif

static const char *TAG = "clock";

/** SNTP answered since boot. A restored time can be far behind, a client's may be a little off. */
static atomic_bool s_synced;
static atomic_bool s_restored;

bool device_clock_is_set(void)
{
    return device_clock_now() >= PROV_TIME_MIN;
}

int64_t device_clock_now(void)
{
    return (int64_t)time(NULL);
}

int64_t device_clock_uptime_ms(void)
{
    return esp_timer_get_time() / 1000;
}

static void set_clock(int64_t unix_seconds)
{
    struct timeval now = {.tv_sec = (time_t)unix_seconds, .tv_usec = 0};
    if (settimeofday(&now, NULL) != 0) {
        ESP_LOGW(TAG, "the clock cannot be set");
    }
}

void device_clock_restore(void)
{
    int64_t last_known = 0;
    if (!device_clock_is_set() && device_store_load_clock(&last_known) == ESP_OK && last_known >= PROV_TIME_MIN) {
        set_clock(last_known);
        s_restored = true;
        ESP_LOGI(TAG, "restored the last known time");
    }
}

void device_clock_offer(int64_t unix_seconds)
{
    bool never_set = !device_clock_is_set();
    /* A restored time is a lower bound: a client may move it forward, never back. */
    bool ahead_of_restored = s_restored && !s_synced && unix_seconds > device_clock_now();
    if (unix_seconds >= PROV_TIME_MIN && (never_set || ahead_of_restored)) {
        set_clock(unix_seconds);
        s_restored = false;
        ESP_LOGI(TAG, "took the time from the client");
    }
}

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 0)

static bool s_sntp_running;

/** Starts SNTP and waits for its first answer; it goes on in the background when that came. */
static bool sntp_sync(uint32_t timeout_ms)
{
    if (!s_sntp_running) {
        esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG(CONFIG_PROV_SNTP_SERVER);
        if (esp_netif_sntp_init(&config) != ESP_OK) {
            return false;
        }
        s_sntp_running = true;
    }
    esp_err_t err = timeout_ms > 0 ? esp_netif_sntp_sync_wait(pdMS_TO_TICKS(timeout_ms)) : ESP_ERR_TIMEOUT;
    if (err != ESP_OK && timeout_ms > 0) {
        esp_netif_sntp_deinit(); /* so that the next try asks at once, not after SNTP's own interval */
        s_sntp_running = false;
    }
    return err == ESP_OK;
}

#else

static bool sntp_sync(uint32_t timeout_ms)
{
    const uint32_t step_ms = 100;
    if (!esp_sntp_enabled()) {
        esp_sntp_setoperatingmode(ESP_SNTP_OPMODE_POLL);
        esp_sntp_setservername(0, CONFIG_PROV_SNTP_SERVER);
        esp_sntp_init();
    }
    for (uint32_t waited_ms = 0; waited_ms < timeout_ms; waited_ms += step_ms) {
        if (sntp_get_sync_status() == SNTP_SYNC_STATUS_COMPLETED) {
            return true;
        }
        vTaskDelay(pdMS_TO_TICKS(step_ms));
    }
    if (timeout_ms > 0) {
        esp_sntp_stop();
    }
    return false;
}

#endif

bool device_clock_sync(void)
{
    if (s_synced) {
        return true;
    }
    bool trustworthy = device_clock_is_set() && !s_restored;
    s_synced = sntp_sync(trustworthy ? 0 : CONFIG_PROV_SNTP_TIMEOUT_MS);
    if (!s_synced && !trustworthy) {
        ESP_LOGW(TAG, "no answer from the time server");
    }
    return device_clock_is_set();
}
