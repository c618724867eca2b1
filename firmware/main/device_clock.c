#include "device_clock.h"

#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "clock_judge.h"
#include "device_store.h"
#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_idf_version.h"
#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "sdkconfig.h"
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 0)
#include "esp_netif_sntp.h"
#else
#include "esp_sntp.h"
#endif

#define SERVER_MAX 64
#define SAVE_INTERVAL_S 3600

static const char *TAG = "clock";

static SemaphoreHandle_t s_lock; /* of the three below: requests, jobs and SNTP come from tasks of their own */
static clock_judge_t s_judge;
static clock_record_t s_saved;        /* in the storage; its time is 0 when there is none */
static char s_server[SERVER_MAX + 1]; /* SNTP keeps the pointer */

static void lock(void)
{
    xSemaphoreTake(s_lock, portMAX_DELAY);
}

static void unlock(void)
{
    xSemaphoreGive(s_lock);
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

esp_err_t device_clock_restore(void)
{
    s_lock = xSemaphoreCreateMutex();
    if (s_lock == NULL) {
        return ESP_ERR_NO_MEM;
    }
    bool found = device_store_load_clock(&s_saved) == ESP_OK;
    int64_t build_time = clock_build_time(esp_app_get_description()->date);
    int64_t now = clock_judge_boot(&s_judge, build_time, found ? &s_saved : NULL);
    set_clock(now);
    if (now != 0) {
        ESP_LOGI(TAG, "restored the last known time");
    }
    return ESP_OK;
}

void device_clock_offer(int64_t unix_seconds)
{
    lock();
    bool noted = clock_judge_offer(&s_judge, unix_seconds, device_clock_now(), device_clock_uptime_ms());
    unlock();
    if (noted) {
        ESP_LOGI(TAG, "noted the time of the client, in case that no time server answers");
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

/** On the first answer and every later one, whenever they come. */
static void on_answer(struct timeval *now)
{
    (void)now;
    lock();
    clock_judge_synced(&s_judge);
    unlock();
}

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 0)

static bool s_sntp_running;

static void sntp_stop(void)
{
    if (s_sntp_running) {
        esp_netif_sntp_deinit();
        s_sntp_running = false;
    }
}

static bool sntp_start(void)
{
    if (!s_sntp_running) {
        choose_server();
        esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG(s_server);
        config.sync_cb = on_answer;
        s_sntp_running = esp_netif_sntp_init(&config) == ESP_OK;
    }
    return s_sntp_running;
}

static bool sntp_wait(uint32_t timeout_ms)
{
    return esp_netif_sntp_sync_wait(pdMS_TO_TICKS(timeout_ms)) == ESP_OK;
}

#else

static void sntp_stop(void)
{
    esp_sntp_stop();
}

static bool sntp_start(void)
{
    if (!esp_sntp_enabled()) {
        choose_server();
        esp_sntp_setoperatingmode(ESP_SNTP_OPMODE_POLL);
        esp_sntp_setservername(0, s_server);
        sntp_set_time_sync_notification_cb(on_answer);
        esp_sntp_init();
    }
    return true;
}

static bool sntp_wait(uint32_t timeout_ms)
{
    const uint32_t step_ms = 100;
    for (uint32_t waited_ms = 0; waited_ms < timeout_ms; waited_ms += step_ms) {
        if (sntp_get_sync_status() == SNTP_SYNC_STATUS_COMPLETED) {
            return true;
        }
        vTaskDelay(pdMS_TO_TICKS(step_ms));
    }
    return false;
}

#endif

/** No time server answered: a client's word has to do, if there is one. */
static void do_without(void)
{
    ESP_LOGW(TAG, "no answer from the time server %s", s_server);
    lock();
    int64_t now = clock_judge_unanswered(&s_judge, device_clock_uptime_ms());
    if (now != 0) {
        set_clock(now);
        ESP_LOGI(TAG, "took the time from the client");
    }
    unlock();
}

/** Asks the next server, at once: one that runs already asks again at its own slow pace only. */
static void ask_and_wait(void)
{
    sntp_stop();
    if (sntp_start() && sntp_wait(CONFIG_PROV_SNTP_TIMEOUT_MS)) {
        on_answer(NULL); /* its own call may be a moment behind */
    } else {
        do_without();
        sntp_stop();
    }
}

bool device_clock_sync(void)
{
    lock();
    bool must_wait = clock_judge_must_wait(&s_judge);
    unlock();
    if (must_wait) {
        ask_and_wait();
    }
    lock();
    bool is_usable = clock_judge_is_usable(&s_judge);
    unlock();
    if (is_usable) {
        (void)sntp_start(); /* which mends what a client or an old record says as soon as a server answers */
    }
    return is_usable;
}

void device_clock_distrust(void)
{
    lock();
    clock_judge_distrust(&s_judge);
    unlock();
}

static bool is_outdated(int64_t saved, int64_t now)
{
    return now < saved || now - saved >= SAVE_INTERVAL_S;
}

/** Flash wears out: with `is_urgent` false, only what is an hour old or ahead. */
static void save(bool is_urgent)
{
    clock_record_t record;
    int64_t now = device_clock_now();
    lock();
    bool is_known = clock_judge_record(&s_judge, now, &record);
    bool is_due = is_urgent || is_outdated(s_saved.time, now) || is_outdated(s_saved.anchor, record.anchor);
    if (is_known && is_due && device_store_save_clock(&record) == ESP_OK) {
        s_saved = record;
    }
    unlock();
}

void device_clock_confirm(bool is_certificate_new)
{
    lock();
    clock_judge_prove(&s_judge);
    unlock();
    save(is_certificate_new);
}

void device_clock_save(void)
{
    save(false);
}
