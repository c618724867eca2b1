#include "device_clock.h"

#include <stdatomic.h>
#include <string.h>
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

#define SERVER_MAX 64
#define SAVE_INTERVAL_S 3600

static const char *TAG = "clock";

/** SNTP answered since boot. A restored time can be far behind, a client's may be a little off. */
static atomic_bool s_synced;
static atomic_bool s_restored;
static atomic_bool s_distrusted;
static int64_t s_saved;               /* the time in the storage; 0 = none */
static char s_server[SERVER_MAX + 1]; /* SNTP keeps the pointer */

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
    if (device_store_load_clock(&last_known) == ESP_OK && last_known >= PROV_TIME_MIN) {
        s_saved = last_known;
    }
    if (s_saved != 0 && !device_clock_is_set()) {
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
        s_distrusted = false;
        ESP_LOGI(TAG, "took the time from the client");
    }
}

/** Copies the server that is next in turn out of the list, which is separated by spaces. */
static void choose_server(void)
{
    static const char SERVERS[] = CONFIG_PROV_SNTP_SERVERS;
    static size_t s_at;
    s_at += strspn(SERVERS + s_at, " ");
    if (SERVERS[s_at] == '\0') {
        s_at = strspn(SERVERS, " ");
    }
    size_t length = strcspn(SERVERS + s_at, " ");
    size_t copied = length < SERVER_MAX ? length : SERVER_MAX;
    memcpy(s_server, SERVERS + s_at, copied);
    s_server[copied] = '\0';
    s_at += length;
}

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 0)

static bool s_sntp_running;

/** Starts SNTP and waits for its first answer; it goes on in the background when that came. */
static bool sntp_sync(uint32_t timeout_ms)
{
    if (!s_sntp_running) {
        choose_server();
        esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG(s_server);
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
        choose_server();
        esp_sntp_setoperatingmode(ESP_SNTP_OPMODE_POLL);
        esp_sntp_setservername(0, s_server);
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
    bool trustworthy = device_clock_is_set() && !s_restored && !s_distrusted;
    s_synced = sntp_sync(trustworthy ? 0 : CONFIG_PROV_SNTP_TIMEOUT_MS);
    if (!s_synced && !trustworthy) {
        ESP_LOGW(TAG, "no answer from the time server %s", s_server);
    }
    return s_synced || (device_clock_is_set() && !s_distrusted);
}

void device_clock_distrust(void)
{
    s_distrusted = !s_synced;
}

void device_clock_save(void)
{
    int64_t now = device_clock_now();
    if (!device_clock_is_set() || (now >= s_saved && now - s_saved < SAVE_INTERVAL_S)) {
        return;
    }
    if (device_store_save_clock(now) == ESP_OK) {
        s_saved = now;
    }
}
