/* The start-up: whatever part of it fails is named again and again, and nothing restarts the device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include "button.h"
#include "check.h"
#include "device_clock.h"
#include "device_identity.h"
#include "device_store.h"
#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_timer.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "json_memory.h"
#include "net_jobs.h"
#include "prov_mailbox.h"
#include "prov_runner.h"
#include "prov_status.h"
#include "softap_config.h"
#include "wifi_link.h"

#define PATIENCE 3

void app_main(void);

typedef enum {
    PART_STATUS,
    PART_QUEUE,
    PART_STORAGE,
    PART_RADIO,
    PART_JOBS,
    PART_TASK,
    PART_COUNT,
} part_t;

static part_t s_failing;
static int s_delays;
static int s_complaints;
static char s_complaint[160];
static bool s_runs;
static esp_err_t s_storage;
static prov_failure_t s_noted;
static jmp_buf s_out;

static esp_err_t outcome(part_t part)
{
    return part == s_failing ? ESP_ERR_NO_MEM : ESP_OK;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task)
{
    (void)task;
    return 1024;
}

void vTaskDelay(TickType_t ticks)
{
    CHECK(ticks == pdMS_TO_TICKS(10000));
    if (++s_delays == PATIENCE) {
        longjmp(s_out, 1); /* a restart would have come before */
    }
}

void esp_log_host_line(esp_log_level_t level, const char *tag, const char *format, ...)
{
    (void)tag;
    va_list arguments;
    va_start(arguments, format);
    if (level == ESP_LOG_ERROR) {
        s_complaints++;
        vsnprintf(s_complaint, sizeof s_complaint, format, arguments);
    }
    va_end(arguments);
}

esp_err_t prov_status_init(void)
{
    return outcome(PART_STATUS);
}

esp_err_t prov_mailbox_init(void)
{
    return outcome(PART_QUEUE);
}

esp_err_t device_store_init(void)
{
    return outcome(PART_STORAGE);
}

esp_err_t wifi_link_init(void)
{
    softap_config_init();
    esp_err_t err = softap_config_apply();
    softap_config_keep_warning();
    return err != ESP_OK ? err : outcome(PART_RADIO);
}

esp_err_t net_jobs_init(void)
{
    return outcome(PART_JOBS);
}

esp_err_t prov_runner_start(esp_err_t storage)
{
    s_storage = storage;
    s_runs = outcome(PART_TASK) == ESP_OK;
    return outcome(PART_TASK);
}

void prov_runner_note(prov_failure_t failure, const char *detail)
{
    CHECK(detail[0] != '\0');
    s_noted = failure;
}

esp_err_t device_clock_restore(void)
{
    return ESP_OK;
}

void button_init(void)
{
}

void json_memory_init(void)
{
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    (void)tag;
    (void)level;
}

const char *device_identity_id(void)
{
    return "id";
}

const esp_app_desc_t *esp_app_get_description(void)
{
    static const esp_app_desc_t APP = {.version = "1"};
    return &APP;
}

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    (void)type;
    memset(mac, 0xab, 6);
    return ESP_OK;
}

void secret_wipe(void *block, size_t size)
{
    memset(block, 0, size);
}

/* ---- a driver that takes little ---- */

static uint8_t s_last_channel;
static uint8_t s_most_clients;
static const char *s_known_country;

esp_err_t esp_wifi_set_country_code(const char *country, bool ieee80211d_enabled)
{
    CHECK(ieee80211d_enabled);
    return strcmp(country, s_known_country) == 0 ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *conf)
{
    CHECK(interface == WIFI_IF_AP);
    CHECK(conf->ap.authmode == WIFI_AUTH_WPA2_PSK);
    bool taken = conf->ap.channel <= s_last_channel && conf->ap.max_connection <= s_most_clients;
    return taken ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args, esp_timer_handle_t *out_handle)
{
    (void)create_args;
    (void)out_handle;
    return ESP_ERR_NO_MEM; /* the warning is lost, and nothing else */
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period_us)
{
    (void)timer;
    (void)period_us;
    CHECK(false);
    return ESP_OK;
}

/* ---- */

static void start(part_t failing)
{
    s_failing = failing;
    s_delays = 0;
    s_complaints = 0;
    s_complaint[0] = '\0';
    s_runs = false;
    s_noted = PROV_FAILURE_NONE;
    if (setjmp(s_out) == 0) {
        app_main();
    }
}

static void test_what_fails_is_named_for_ever(void)
{
    static const struct {
        part_t part;
        const char *complaint;
    } CASES[] = {
        {PART_STATUS, "the status does not start: ESP_ERR_NO_MEM. Nothing runs."},
        {PART_QUEUE, "the state machine does not start: ESP_ERR_NO_MEM. Nothing runs."},
        {PART_RADIO, "the radio does not start: ESP_ERR_NO_MEM. Nothing runs."},
        {PART_JOBS, "the network task does not start: ESP_ERR_NO_MEM. Nothing runs."},
        {PART_TASK, "the state machine does not start: ESP_ERR_NO_MEM. Nothing runs."},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        start(CASES[i].part);
        CHECK_TEXT(s_complaint, CASES[i].complaint);
        CHECK(s_complaints == PATIENCE);
        CHECK(!s_runs);
    }
}

static void test_a_broken_storage_is_not_fatal(void)
{
    start(PART_STORAGE);
    CHECK(s_runs && s_storage == ESP_ERR_NO_MEM && s_complaints == 0);
}

static void test_the_driver_decides(void)
{
    start(PART_COUNT);
    CHECK(s_runs && s_noted == PROV_FAILURE_NONE);
    CHECK_TEXT(softap_config_trouble(), "");
    CHECK(softap_config_channel() == CONFIG_PROV_SOFTAP_CHANNEL);

    s_last_channel = 1;
    start(PART_COUNT);
    CHECK(s_runs && s_noted == PROV_FAILURE_RADIO_MISCONFIGURED);
    CHECK(softap_config_channel() == 1);
    CHECK(strstr(softap_config_trouble(), "channel 6 -> 1 in country 01") != NULL);

    s_most_clients = 1;
    start(PART_COUNT);
    CHECK(s_runs && strstr(softap_config_trouble(), "clients 4 -> 1") != NULL);

    s_last_channel = 0; /* not even that: the radio is broken */
    start(PART_COUNT);
    CHECK(!s_runs && s_complaints == PATIENCE);
    CHECK_TEXT(s_complaint, "the radio does not start: ESP_ERR_INVALID_ARG. Nothing runs.");
}

int main(void)
{
    s_last_channel = 13;
    s_most_clients = 4;
    s_known_country = "01";
    test_what_fails_is_named_for_ever();
    test_a_broken_storage_is_not_fatal();
    test_the_driver_decides();
    return check_result("main");
}
