#include "captive_dns.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ap_interface.h"
#include "captive_portal.h"
#include "dns_answer.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "lwip/sockets.h"
#include "sdkconfig.h"
#include "stack_marks.h"

#define STACK_SIZE 3072
#define PRIORITY (tskIDLE_PRIORITY + 4) /* below the HTTP server's */
#define STOP_LATENCY_US (250 * 1000)
#define ERROR_PAUSE_MS 100

static const char *TAG = "dns";
static SemaphoreHandle_t s_stop;  /* given to the task to end it */
static SemaphoreHandle_t s_ended; /* given back when its socket is closed */
static bool s_running;
static int s_socket;
/* Of the one task that uses them; not on its stack. */
static uint8_t s_query[DNS_QUERY_MAX];
static uint8_t s_answer[DNS_ANSWER_MAX];

static void serve_one(void)
{
    struct sockaddr_in client;
    socklen_t client_size = sizeof client;
    int got = (int)recvfrom(s_socket, s_query, sizeof s_query, 0, (struct sockaddr *)&client, &client_size);
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            vTaskDelay(pdMS_TO_TICKS(ERROR_PAUSE_MS)); /* not a busy loop, whatever it is */
        }
        return;
    }
    size_t length = dns_answer(s_query, (size_t)got, captive_portal_address(), s_answer, sizeof s_answer);
    if (length > 0) {
        /* Lost like any datagram: the client asks again. */
        (void)sendto(s_socket, s_answer, length, 0, (struct sockaddr *)&client, client_size);
    }
    stack_marks_note(STACK_MARK_DNS);
}

static void run(void *arg)
{
    (void)arg;
    while (xSemaphoreTake(s_stop, 0) != pdTRUE) {
        serve_one();
    }
    close(s_socket);
    xSemaphoreGive(s_ended);
    vTaskDelete(NULL);
}

/** A socket on the SoftAP's interface alone: the home network has a name server of its own. -1 on failure. */
static int open_socket(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(CONFIG_PROV_CAPTIVE_DNS_PORT),
        .sin_addr.s_addr = captive_portal_address(),
    };
    socklen_t size = sizeof address;
    struct timeval timeout = {.tv_usec = STOP_LATENCY_US};
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
        ap_interface_bind(fd) != ESP_OK || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    ESP_LOGI(TAG, "every name is %s port %u", captive_portal_uri(), (unsigned)ntohs(address.sin_port));
    return fd;
}

static bool start(void)
{
    if (s_stop == NULL) {
        s_stop = xSemaphoreCreateBinary();
    }
    if (s_ended == NULL) {
        s_ended = xSemaphoreCreateBinary();
    }
    errno = ENOMEM;
    s_socket = s_stop != NULL && s_ended != NULL ? open_socket() : -1;
    if (s_socket < 0) {
        return false;
    }
    if (xTaskCreate(run, "captive_dns", STACK_SIZE, NULL, PRIORITY, NULL) == pdPASS) {
        return true;
    }
    close(s_socket);
    errno = ENOMEM;
    return false;
}

void captive_dns_start(void)
{
    if (s_running || CONFIG_PROV_CAPTIVE_DNS_PORT == 0) {
        return;
    }
    s_running = start();
    if (!s_running) {
        ESP_LOGW(TAG, "no name server on the AP (%s): the page is at %s", strerror(errno), captive_portal_uri());
    }
}

void captive_dns_stop(void)
{
    if (s_running) {
        xSemaphoreGive(s_stop);
        xSemaphoreTake(s_ended, portMAX_DELAY);
        s_running = false;
    }
}
