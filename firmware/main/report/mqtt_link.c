#include "mqtt_link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker_judge.h"
#include "cJSON.h"
#include "certificate_pem.h"
#include "device_clock.h"
#include "device_identity.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "mqtt_client.h"
#include "prov_mailbox.h"
#include "sdkconfig.h"
#include "stack_marks.h"
#include "status_report.h"

#define NETWORK_TIMEOUT_MS 10000
#define TASK_STACK 8192 /* the TLS handshake runs in the client's task */
/*
 * esp-mqtt sends nothing that is larger. The largest is a CONNECT: 15 bytes of header, then with two bytes of length
 * each an id of 64, a topic of 79, a last will of 101, and what codegen lets through as user name (128) and
 * password (512).
 */
#define BUFFER_SIZE 1024
/* esp_mqtt_client_stop() sits out half of esp-mqtt's own pause before a reconnection, which is never wanted here. */
#define RECONNECT_PAUSE_MS 200
#define ACK_PATIENCE_MS 500

static const char *TAG = "mqtt";

static esp_mqtt_client_handle_t s_client;
static char s_topic[sizeof "devices//status" + PROV_DEVICE_ID_MAX];
static char *s_last_will;            /* esp-mqtt copies it, cJSON made it */
static char *s_certificate_pem;     /* esp-mqtt does not copy: these two must outlive the client */
static char *s_ca_pem;
static SemaphoreHandle_t s_acked;    /* given with the acknowledgement of the last message */
static bool s_awaits_ack;            /* of the network task */
static atomic_int s_is_open;         /* between CONNACK and the end of the connection */

/* Written before the client starts, then touched by its task only. */
static struct {
    uint32_t job_id;
    bool over; /* the outcome was posted */
    int64_t started_ms;
    broker_attempt_t seen;
} s_attempt;

static void on_before_connect(void)
{
    tls_handshake_begin();
    s_attempt.started_ms = device_clock_uptime_ms();
}

static void on_error(const esp_mqtt_error_codes_t *codes)
{
    if (codes->error_type == MQTT_ERROR_TYPE_CONNECTION_REFUSED) {
        s_attempt.seen.refusal = (int)codes->connect_return_code;
    } else if (codes->error_type == MQTT_ERROR_TYPE_TCP_TRANSPORT) {
        s_attempt.seen.has_error = true;
        s_attempt.seen.error = (net_error_t){
            .last_error = codes->esp_tls_last_esp_err,
            .stack_error = codes->esp_tls_stack_err,
            .verify_flags = codes->esp_tls_cert_verify_flags,
            .sock_errno = codes->esp_transport_sock_errno,
            .handshake = tls_handshake_last(),
        };
        ESP_LOGD(TAG, "transport: esp-tls 0x%x, stack 0x%x, flags 0x%x", (unsigned)codes->esp_tls_last_esp_err,
                 (unsigned)codes->esp_tls_stack_err, (unsigned)codes->esp_tls_cert_verify_flags);
    }
}

static void on_connected(void)
{
    s_attempt.seen.has_connack = true;
    s_attempt.seen.has_error = false;
    atomic_store(&s_is_open, 1);
    prov_post(&(prov_msg_t){.event = PROV_EVENT_MQTT_ACCEPTED, .job_id = s_attempt.job_id});
}

static void on_published(void)
{
    s_attempt.seen.has_ack = true;
    xSemaphoreGive(s_acked);
    prov_post(&(prov_msg_t){.kind = PROV_MSG_PUBLISHED, .job_id = s_attempt.job_id});
}

static void on_disconnected(void)
{
    atomic_store(&s_is_open, 0);
    if (s_attempt.over) {
        return;
    }
    s_attempt.over = true;
    s_attempt.seen.duration_ms = (uint32_t)(device_clock_uptime_ms() - s_attempt.started_ms);
    broker_verdict_t verdict = broker_judge(&s_attempt.seen);
    ESP_LOGW(TAG, "%s: %s", prov_failure_code(verdict.failure), verdict.detail);
    prov_msg_t msg = {.kind = PROV_MSG_BROKER_FAILED, .job_id = s_attempt.job_id, .failure = verdict.failure};
    msg.is_denied = verdict.is_denied;
    memcpy(msg.detail, verdict.detail, sizeof msg.detail);
    prov_post(&msg);
}

static void on_mqtt(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    const esp_mqtt_event_t *event = data;
    switch ((esp_mqtt_event_id_t)id) {
    case MQTT_EVENT_BEFORE_CONNECT:
        on_before_connect();
        break;
    case MQTT_EVENT_CONNECTED:
        on_connected();
        break;
    case MQTT_EVENT_PUBLISHED:
        on_published();
        break;
    case MQTT_EVENT_ERROR:
        on_error(event->error_handle);
        break;
    case MQTT_EVENT_DISCONNECTED:
        on_disconnected();
        break;
    default:
        break;
    }
    stack_marks_note(STACK_MARK_MQTT);
}

static esp_mqtt_client_handle_t make_client(void)
{
    const esp_mqtt_client_config_t config = {
        .broker.address.uri = CONFIG_PROV_MQTT_BROKER_URI,
        .broker.verification.certificate = s_ca_pem,
        .credentials.client_id = device_identity_id(),
        .credentials.username = device_identity_mqtt_username(),
        .credentials.authentication.password = device_identity_mqtt_password(),
        .credentials.authentication.certificate = s_certificate_pem,
        .credentials.authentication.key = device_identity_key_pem(),
        .session.protocol_ver = MQTT_PROTOCOL_V_3_1_1,
        .session.keepalive = CONFIG_PROV_MQTT_KEEPALIVE_S,
        .session.last_will =
            {
                .topic = s_topic,
                .msg = s_last_will,
                .msg_len = (int)strlen(s_last_will),
                .qos = 1,
                .retain = 1,
            },
        .network.timeout_ms = NETWORK_TIMEOUT_MS,
        .network.disable_auto_reconnect = true,
        .network.reconnect_timeout_ms = RECONNECT_PAUSE_MS,
        .task.stack_size = TASK_STACK,
        .buffer.size = BUFFER_SIZE,
    };
    return esp_mqtt_client_init(&config);
}

bool mqtt_link_start(certificate_t *certificate, uint32_t job_id)
{
    mqtt_link_stop();
    s_certificate_pem = pem_of_certificates(certificate, CERTIFICATE_SENT);
    s_ca_pem = pem_of_certificates(certificate, CERTIFICATE_TRUSTED);
    certificate_free(certificate);
    memset(&s_attempt, 0, sizeof s_attempt);
    s_attempt.job_id = job_id;
    s_attempt.seen.refusal = BROKER_NO_CONNACK_CODE;
    s_attempt.seen.timeout_ms = NETWORK_TIMEOUT_MS;
    snprintf(s_topic, sizeof s_topic, "devices/%s/status", device_identity_id());
    s_last_will = status_report_offline();
    s_acked = s_acked != NULL ? s_acked : xSemaphoreCreateBinary();
    bool has_all = s_certificate_pem != NULL && s_ca_pem != NULL && s_last_will != NULL && s_acked != NULL;
    s_client = has_all ? make_client() : NULL;
    if (s_client == NULL || esp_mqtt_client_register_event(s_client, MQTT_EVENT_ANY, on_mqtt, NULL) != ESP_OK ||
        esp_mqtt_client_start(s_client) != ESP_OK) {
        ESP_LOGE(TAG, "the MQTT client does not start");
        mqtt_link_stop();
        return false;
    }
    return true;
}

/** Closed over an acknowledgement that nobody has read, TCP resets the connection, and the DISCONNECT may go with it. */
static void await_ack(uint32_t wait_ms)
{
    if (s_awaits_ack && atomic_load(&s_is_open) != 0) {
        (void)xSemaphoreTake(s_acked, pdMS_TO_TICKS(wait_ms));
    }
    s_awaits_ack = false;
}

void mqtt_link_stop(void)
{
    if (s_client != NULL) {
        await_ack(ACK_PATIENCE_MS);
        esp_mqtt_client_destroy(s_client); /* stops it first */
        s_client = NULL;
    }
    atomic_store(&s_is_open, 0);
    free(s_certificate_pem);
    free(s_ca_pem);
    cJSON_free(s_last_will);
    s_certificate_pem = s_ca_pem = s_last_will = NULL;
}

/* The broker takes the word before the DISCONNECT behind it, which makes it forget the last will. */
void mqtt_link_leave(uint32_t wait_ms)
{
    if (s_client != NULL && atomic_load(&s_is_open) != 0 && mqtt_link_publish_status(s_last_will)) {
        await_ack(wait_ms);
    }
    mqtt_link_stop();
}

bool mqtt_link_publish_status(const char *json)
{
    if (s_client == NULL) {
        return false;
    }
    (void)xSemaphoreTake(s_acked, 0);
    s_awaits_ack = esp_mqtt_client_publish(s_client, s_topic, json, 0, 1, 1) >= 0;
    return s_awaits_ack;
}
