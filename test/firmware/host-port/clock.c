/* The board's clock: 1970 at boot, set by hand or by SNTP, and nobody else's. */
#include <sys/time.h>
#include <time.h>

#include "esp_netif_sntp.h"
#include "mbedtls/x509.h"
#include "program.h"

#define YEAR_2020 1577836800

static void test_unset(void)
{
    CHECK(time(NULL) < 60);
    struct timeval now;
    CHECK(gettimeofday(&now, NULL) == 0 && now.tv_sec < 60);
    struct timespec precise;
    CHECK(clock_gettime(CLOCK_REALTIME, &precise) == 0 && precise.tv_sec < 60);
    mbedtls_x509_time past = {.year = 1999, .mon = 1, .day = 1};
    CHECK(mbedtls_x509_time_is_future(&past) == 1); /* mbedTLS believes the board, too */
}

static void test_set_by_hand(void)
{
    struct timeval wanted = {.tv_sec = YEAR_2020, .tv_usec = 500000};
    CHECK(settimeofday(&wanted, NULL) == 0);
    time_t now = 0;
    CHECK(time(&now) == now && now >= YEAR_2020 && now < YEAR_2020 + 60);
    struct timeval bad = {.tv_sec = 1, .tv_usec = 1000000};
    CHECK(settimeofday(&bad, NULL) == -1);
}

static void test_sntp(void)
{
    esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG("pool.ntp.org");
    CHECK(esp_netif_sntp_sync_wait(0) == ESP_ERR_INVALID_STATE);
    CHECK(esp_netif_sntp_init(&config) == ESP_OK);
    CHECK(esp_netif_sntp_init(&config) == ESP_ERR_INVALID_STATE);
    CHECK(esp_netif_sntp_sync_wait(pdMS_TO_TICKS(150)) == ESP_ERR_TIMEOUT); /* no network yet */
    CHECK(time(NULL) < YEAR_2020 + 60);
    go_online();
    bool is_blocked = getenv("TEST_SNTP_BLOCKED") != NULL;
    TickType_t limit = is_blocked ? pdMS_TO_TICKS(300) : portMAX_DELAY;
    CHECK(esp_netif_sntp_sync_wait(limit) == (is_blocked ? ESP_ERR_TIMEOUT : ESP_OK));
    CHECK((time(NULL) > YEAR_2020 + 60) == !is_blocked);
    CHECK(esp_netif_sntp_sync_wait(0) == ESP_ERR_TIMEOUT); /* that was the news */
    esp_netif_sntp_deinit();
}

void app_main(void)
{
    test_unset();
    test_set_by_hand();
    test_sntp();
    finish("clock");
}
