/* The WiFi driver: its states and errors, then one connection per line of standard input:
   `<ssid>\t<password>\t<minimum auth mode>\t<minimum rssi>\t<scan method>`. */
#include "program.h"

static SemaphoreHandle_t s_event;
static int32_t s_id;
static wifi_event_sta_disconnected_t s_disconnected;
static wifi_event_sta_scan_done_t s_scan_done;

static void on_wifi(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    if (id == WIFI_EVENT_STA_DISCONNECTED) {
        s_disconnected = *(wifi_event_sta_disconnected_t *)data;
    } else if (id == WIFI_EVENT_SCAN_DONE) {
        s_scan_done = *(wifi_event_sta_scan_done_t *)data;
    } else if (id != WIFI_EVENT_STA_CONNECTED) {
        return;
    }
    s_id = id;
    xSemaphoreGive(s_event);
}

static int32_t next_event(void)
{
    xSemaphoreTake(s_event, portMAX_DELAY);
    return s_id;
}

static void test_states_before_start(void)
{
    wifi_mode_t mode;
    wifi_config_t config = {.sta = {.ssid = "x"}};
    CHECK(esp_wifi_set_mode(WIFI_MODE_STA) == ESP_ERR_WIFI_NOT_INIT);
    CHECK(esp_wifi_get_mode(&mode) == ESP_ERR_WIFI_NOT_INIT);
    CHECK(esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_ERR_WIFI_NOT_INIT);
    CHECK(esp_wifi_start() == ESP_ERR_WIFI_NOT_INIT);
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    CHECK(esp_wifi_init(&init) == ESP_OK);
    CHECK(esp_wifi_connect() == ESP_ERR_WIFI_NOT_STARTED);
    CHECK(esp_wifi_disconnect() == ESP_ERR_WIFI_NOT_STARTED);
    CHECK(esp_wifi_scan_start(NULL, false) == ESP_ERR_WIFI_NOT_STARTED);
    CHECK(esp_wifi_set_mode(WIFI_MODE_AP) == ESP_OK);
    CHECK(esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_ERR_WIFI_MODE);
}

/* `channels <country> <the last that is taken>`, of every code that is taken at all. */
static void report_countries(wifi_config_t *config)
{
    CHECK(esp_wifi_set_country_code("01", true) == ESP_OK);
    for (int i = 0; i < 26 * 26; i++) {
        const char code[] = {(char)('A' + i / 26), (char)('A' + i % 26), '\0'};
        esp_err_t err = esp_wifi_set_country_code(code, true);
        CHECK(err == ESP_OK || err == ESP_ERR_INVALID_ARG);
        if (err != ESP_OK) {
            continue;
        }
        config->ap.channel = 15;
        while (esp_wifi_set_config(WIFI_IF_AP, config) != ESP_OK) {
            config->ap.channel--;
        }
        REPORT("channels %s %u", code, config->ap.channel);
    }
    CHECK(esp_wifi_set_country_code("D", true) == ESP_ERR_INVALID_ARG);
    CHECK(esp_wifi_set_country_code("DE", true) == ESP_OK);
    CHECK(esp_wifi_set_country_code("de", true) == ESP_ERR_INVALID_ARG);
    config->ap.channel = 13; /* of DE still: what was refused changed nothing */
    CHECK(esp_wifi_set_config(WIFI_IF_AP, config) == ESP_OK);
}

static void test_ap_config(void)
{
    wifi_config_t config = {.ap = {.ssid = "ap", .authmode = WIFI_AUTH_WPA2_PSK, .channel = 1}};
    CHECK(esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_ERR_WIFI_PASSWORD);
    memcpy(config.ap.password, "12345678", 9);
    CHECK(esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_OK);
    config.ap.channel = 12;
    CHECK(esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_ERR_INVALID_ARG);
    config.ap.channel = 11;
    config.ap.max_connection = (uint8_t)atoi(getenv("TEST_AP_CLIENTS"));
    CHECK(esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_OK);
    config.ap.max_connection++;
    CHECK(esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_ERR_INVALID_ARG);
    config.ap.max_connection = 1;
    config.ap.ssid_len = 33;
    CHECK(esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_ERR_WIFI_SSID);
    config.ap.ssid_len = 2;
    memcpy(config.ap.password, "1234567", 8);
    CHECK(esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_ERR_WIFI_PASSWORD);
    memcpy(config.ap.password, "12345678", 9);
    report_countries(&config);
    config.ap = (wifi_ap_config_t){.channel = 1};
    CHECK(esp_wifi_set_config(WIFI_IF_AP, &config) == ESP_ERR_WIFI_SSID);
    CHECK(esp_wifi_set_mode(WIFI_MODE_STA) == ESP_OK);
}

static void report_scan(bool show_hidden)
{
    wifi_scan_config_t config = {.show_hidden = show_hidden};
    CHECK(esp_wifi_scan_start(&config, false) == ESP_OK);
    CHECK(esp_wifi_scan_start(&config, false) == ESP_ERR_WIFI_STATE);
    CHECK(next_event() == WIFI_EVENT_SCAN_DONE && s_scan_done.status == 0);
    uint16_t count = 0;
    CHECK(esp_wifi_scan_get_ap_num(&count) == ESP_OK && count == s_scan_done.number);
    wifi_ap_record_t records[32];
    count = 32;
    CHECK(esp_wifi_scan_get_ap_records(&count, records) == ESP_OK);
    for (int i = 0; i < count; i++) {
        REPORT("record \"%s\" %d %u %d", records[i].ssid, records[i].rssi, records[i].primary,
               records[i].authmode);
    }
    CHECK(esp_wifi_scan_get_ap_num(&count) == ESP_OK && count == 0);
}

static void test_states_while_connecting(void)
{
    wifi_config_t config = {0};
    CHECK(esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_OK);
    CHECK(esp_wifi_connect() == ESP_ERR_WIFI_SSID);
    memcpy(config.sta.ssid, "Open", 5);
    CHECK(esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_OK);
    CHECK(esp_wifi_scan_start(NULL, false) == ESP_OK);
    CHECK(esp_wifi_connect() == ESP_OK); /* ends the scan */
    CHECK(next_event() == WIFI_EVENT_SCAN_DONE && s_scan_done.status == 1);
    CHECK(esp_wifi_connect() == ESP_ERR_WIFI_CONN);
    CHECK(esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_ERR_WIFI_STATE);
    CHECK(esp_wifi_scan_start(NULL, false) == ESP_ERR_WIFI_STATE);
    wifi_ap_record_t ap;
    CHECK(esp_wifi_sta_get_ap_info(&ap) == ESP_ERR_WIFI_NOT_CONNECT);
    CHECK(next_event() == WIFI_EVENT_STA_CONNECTED);
    CHECK(esp_wifi_sta_get_ap_info(&ap) == ESP_OK);
    CHECK_TEXT((const char *)ap.ssid, "Open");
    CHECK(esp_wifi_disconnect() == ESP_OK);
    CHECK(next_event() == WIFI_EVENT_STA_DISCONNECTED);
    CHECK(s_disconnected.reason == WIFI_REASON_ASSOC_LEAVE);
    CHECK(esp_wifi_disconnect() == ESP_OK); /* idle: no event */
}

static void try_connection(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    const char *fields[5] = {0};
    for (int i = 0; i < 5; i++) {
        fields[i] = strsep(&line, "\t");
    }
    wifi_config_t config = {0};
    memcpy(config.sta.ssid, fields[0], strnlen(fields[0], sizeof config.sta.ssid));
    memcpy(config.sta.password, fields[1], strnlen(fields[1], sizeof config.sta.password));
    config.sta.threshold.authmode = (wifi_auth_mode_t)atoi(fields[2]);
    config.sta.threshold.rssi = (int8_t)atoi(fields[3]);
    config.sta.scan_method = (wifi_scan_method_t)atoi(fields[4]);
    CHECK(esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_OK);
    CHECK(esp_wifi_connect() == ESP_OK);
    if (next_event() == WIFI_EVENT_STA_CONNECTED) {
        REPORT("connected %s", fields[0]);
        esp_wifi_disconnect();
        next_event();
    } else {
        REPORT("reason %d %s", s_disconnected.reason, fields[0]);
    }
}

void app_main(void)
{
    s_event = xSemaphoreCreateCounting(8, 0);
    test_states_before_start();
    test_ap_config();
    if (getenv("TEST_AP_ONLY") != NULL) {
        finish("wifi");
        return;
    }
    CHECK(esp_event_loop_create_default() == ESP_OK);
    CHECK(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL) == ESP_OK);
    esp_netif_create_default_wifi_sta();
    CHECK(esp_wifi_start() == ESP_OK);
    REPORT("scan");
    report_scan(false);
    REPORT("scan with hidden");
    report_scan(true);
    test_states_while_connecting();
    if (getenv("TEST_FIXED_COUNTRY") != NULL) {
        CHECK(esp_wifi_set_country_code(getenv("TEST_FIXED_COUNTRY"), false) == ESP_OK);
    }
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        try_connection(line);
    }
    finish("wifi");
}
