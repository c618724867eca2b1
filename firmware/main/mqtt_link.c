#include "mqtt_link.h"

#include <stdio.h>
#include <string.h>

#include "cJSON.h"
#include "device_identity.h"
#include "esp_log.h"
#include "mqtt_client.h"
#include "net_failure.h"
#include "prov_event.h"
#include "sdkconfig.h"
#include "status_report.h"

#define NETWORK_TIMEOUT_MS 10000
#define TASK_STACK 8192 /* the TLS handshake runs in the client's task */
/*
 * esp-mqtt sends nothing that is larger. The largest is a CONNECT: 15 bytes of header, then with two bytes of length
 * each an id of 64, a topic of 79, a last will of 101, and what codegen lets through as user name (128) and
 * password (512).
 */
#define BUFFER_SIZE 1024

static const char *TAG = "mqtt";

static esp_mqtt_client_handle_t s_client;
static char s_topic[sizeof "devices//status" + PROV_DEVICE_ID_MAX];
static char *s_last_will;            /* esp-mqtt copies it, cJSON made it */
static certificate_t s_certificate; /* esp-mqtt does not copy: it must outlive the client */

/* Written before the client starts, then touched by its task only. */
static struct {
    uint32_t job_id;
    bool connected;
    bool over; /* the outcome was posted */
    prov_failure_t failure;
    char detail[PROV_DETAIL_MAX];
} s_attempt;

static void note_failure(prov_failure_t failure, const char *detail)
{
    s_attempt.failure = failure;
    snprintf(s_attempt.detail, sizeof s_attempt.detail, "%s", detail);
}

static void note_transport_error(const esp_mqtt_error_codes_t *codes)
{
    const net_error_t error = {
        .last_error = codes->esp_tls_last_esp_err,
        .stack_error = codes->esp_tls_stack_err,
        .verify_flags = codes->esp_tls_cert_verify_flags,
    };
    ESP_LOGD(TAG, "transport: esp-tls 0x%x, stack 0x%x, flags 0x%x", (unsigned)error.last_error,
             (unsigned)error.stack_error, (unsigned)error.verify_flags);
    switch (net_failure_classify(&error)) {
    case NET_FAILURE_UNTRUSTED:
        note_failure(PROV_FAILURE_BROKER_UNTRUSTED, net_failure_detail(&error));
        break;
    case NET_FAILURE_DNS:
        note_failure(PROV_FAILURE_DNS_FAILED, "broker");
        break;
    case NET_FAILURE_REFUSED:
        /* Under TLS 1.3 a server refuses a client's certificate only after the handshake. */
        note_failure(PROV_FAILURE_BROKER_REJECTED, "it does not accept the certificate");
        break;
    case NET_FAILURE_UNREACHABLE:
    default:
        note_failure(PROV_FAILURE_BROKER_UNREACHABLE, "");
        break;
    }
}

static void on_error(const esp_mqtt_error_codes_t *codes)
{
    char detail[PROV_DETAIL_MAX];
    if (codes->error_type == MQTT_ERROR_TYPE_CONNECTION_REFUSED) {
        bool unavailable = codes->connect_return_code == MQTT_CONNECTION_REFUSE_SERVER_UNAVAILABLE;
        snprintf(detail, sizeof detail, "CONNACK code %d", (int)codes->connect_return_code);
        note_failure(unavailable ? PROV_FAILURE_BROKER_UNREACHABLE : PROV_FAILURE_BROKER_REJECTED, detail);
    } else if (codes->error_type == MQTT_ERROR_TYPE_TCP_TRANSPORT) {
        note_transport_error(codes);
    }
}

static void on_disconnected(void)
{
    if (s_attempt.over) {
        return;
    }
    s_attempt.over = true;
    prov_msg_t msg = {.job_id = s_attempt.job_id, .failure = s_attempt.failure};
    if (s_attempt.connected) {
        ESP_LOGW(TAG, "the connection to the broker is lost");
        msg.kind = PROV_MSG_EVENT;
        msg.event = PROV_EVENT_MQTT_LOST;
    } else {
        ESP_LOGW(TAG, "%s: %s", prov_failure_code(s_attempt.failure), s_attempt.detail);
        msg.kind = PROV_MSG_BROKER_FAILED;
    }
    memcpy(msg.detail, s_attempt.detail, sizeof msg.detail);
    prov_post(&msg);
}

static void on_mqtt(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    const esp_mqtt_event_t *event = data;
    switch ((esp_mqtt_event_id_t)id) {
    case MQTT_EVENT_CONNECTED:
        s_attempt.connected = true;
        note_failure(PROV_FAILURE_BROKER_UNREACHABLE, "");
        prov_post(&(prov_msg_t){.event = PROV_EVENT_MQTT_UP, .job_id = s_attempt.job_id});
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
}

static esp_mqtt_client_handle_t make_client(void)
{
    const esp_mqtt_client_config_t config = {
        .broker.address.uri = CONFIG_PROV_MQTT_BROKER_URI,
        .broker.verification.certificate = s_certificate.ca_pem,
        .credentials.client_id = device_identity_id(),
        .credentials.username = device_identity_mqtt_username(),
        .credentials.authentication.password = device_identity_mqtt_password(),
        .credentials.authentication.certificate = s_certificate.certificate_pem,
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
        .task.stack_size = TASK_STACK,
        .buffer.size = BUFFER_SIZE,
    };
    return esp_mqtt_client_init(&config);
}

bool mqtt_link_start(certificate_t *certificate, uint32_t job_id)
{
    mqtt_link_stop();
    s_certificate = *certificate;
    *certificate = (certificate_t){0};
    memset(&s_attempt, 0, sizeof s_attempt);
    s_attempt.job_id = job_id;
    s_attempt.failure = PROV_FAILURE_BROKER_UNREACHABLE;
    snprintf(s_topic, sizeof s_topic, "devices/%s/status", device_identity_id());
    s_last_will = status_report_offline();
    s_client = s_last_will != NULL ? make_client() : NULL;
    if (s_client == NULL || esp_mqtt_client_register_event(s_client, MQTT_EVENT_ANY, on_mqtt, NULL) != ESP_OK ||
        esp_mqtt_client_start(s_client) != ESP_OK) {
        ESP_LOGE(TAG, "the MQTT client does not start");
        mqtt_link_stop();
        return false;
    }
    return true;
}

void mqtt_link_stop(void)
{
    if (s_client != NULL) {
        esp_mqtt_client_destroy(s_client); /* stops it first */
        s_client = NULL;
    }
    certificate_free(&s_certificate);
    cJSON_free(s_last_will);
    s_last_will = NULL;
}

bool mqtt_link_publish_status(const char *json)
{
    return s_client != NULL && esp_mqtt_client_publish(s_client, s_topic, json, 0, 1, 1) >= 0;
}
