/*
 * One MQTT client, at $TEST_URI: every event is reported, and each line of standard input obeyed, one command with its
 * arguments; at the end of the input the client is destroyed.
 */
#include "esp_crt_bundle.h"
#include "mqtt_client.h"
#include "program.h"

static esp_mqtt_client_handle_t s_client;

static char *read_file(const char *path)
{
    if (path == NULL) {
        return NULL;
    }
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 16384);
    CHECK(file != NULL && fread(text, 1, 16383, file) > 0);
    fclose(file);
    return text;
}

static int number(const char *variable, int otherwise)
{
    const char *text = getenv(variable);
    return text != NULL ? atoi(text) : otherwise;
}

/** A digest of what a test can compute as well. */
static unsigned sum_of(const char *data, int length)
{
    unsigned sum = 0;
    for (int i = 0; i < length; i++) {
        sum = sum * 31 + (unsigned char)data[i];
    }
    return sum;
}

static void report_data(const esp_mqtt_event_t *event)
{
    REPORT("data %.*s qos=%d retain=%d dup=%d id=%d %d+%d of %d sum=%u", event->topic_len, event->topic, event->qos,
           event->retain, event->dup, event->msg_id, event->current_data_offset, event->data_len,
           event->total_data_len, sum_of(event->data, event->data_len));
}

static void report_error(const esp_mqtt_error_codes_t *error)
{
    REPORT("error type=%d code=%d tls=0x%x stack=0x%x flags=0x%x errno=%d", error->error_type,
           error->connect_return_code, error->esp_tls_last_esp_err, error->esp_tls_stack_err,
           error->esp_tls_cert_verify_flags, error->esp_transport_sock_errno);
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    esp_mqtt_event_handle_t event = data;
    switch ((esp_mqtt_event_id_t)id) {
    case MQTT_EVENT_BEFORE_CONNECT:
        REPORT("before");
        break;
    case MQTT_EVENT_CONNECTED:
        CHECK(esp_mqtt_client_stop(event->client) == ESP_FAIL); /* not from the handler */
        REPORT("connected %d", event->session_present);
        break;
    case MQTT_EVENT_DISCONNECTED:
        REPORT("disconnected");
        break;
    case MQTT_EVENT_SUBSCRIBED:
        REPORT("subscribed %d %s", event->msg_id,
               event->error_handle->error_type == MQTT_ERROR_TYPE_SUBSCRIBE_FAILED ? "failed" : "granted");
        break;
    case MQTT_EVENT_UNSUBSCRIBED:
        REPORT("unsubscribed %d", event->msg_id);
        break;
    case MQTT_EVENT_PUBLISHED:
        REPORT("published %d", event->msg_id);
        break;
    case MQTT_EVENT_DATA:
        report_data(event);
        break;
    case MQTT_EVENT_ERROR:
        report_error(event->error_handle);
        break;
    default:
        REPORT("another event");
        break;
    }
}

/** @param size 0: five bytes; else so many, each another one than its neighbours */
static int publish(const char *topic, int qos, int retain, int size)
{
    static char s_large[50000];
    for (int i = 0; i < size; i++) {
        s_large[i] = (char)('a' + i % 26);
    }
    return esp_mqtt_client_publish(s_client, topic, size > 0 ? s_large : "hello", size, qos, retain);
}

static void obey(const char *line)
{
    char command[16] = "";
    char topic[128] = "";
    int qos = 0;
    int retain = 0;
    int size = 0;
    sscanf(line, "%15s %127s %d %d %d", command, topic, &qos, &retain, &size);
    if (strcmp(command, "stop") == 0) {
        REPORT("stop %s", esp_err_to_name(esp_mqtt_client_stop(s_client)));
    } else if (strcmp(command, "start") == 0) {
        REPORT("start %s", esp_err_to_name(esp_mqtt_client_start(s_client)));
    } else if (strcmp(command, "reconnect") == 0) {
        REPORT("reconnect %s", esp_err_to_name(esp_mqtt_client_reconnect(s_client)));
    } else if (strcmp(command, "disconnect") == 0) {
        REPORT("disconnect %s", esp_err_to_name(esp_mqtt_client_disconnect(s_client)));
    } else if (strcmp(command, "publish") == 0) {
        REPORT("publishing %d", publish(topic, qos, retain, size));
    } else if (strcmp(command, "subscribe") == 0) {
        REPORT("subscribing %d", esp_mqtt_client_subscribe(s_client, topic, qos));
    } else if (strcmp(command, "unsubscribe") == 0) {
        REPORT("unsubscribing %d", esp_mqtt_client_unsubscribe(s_client, topic));
    } else if (strcmp(command, "leave") == 0) { /* the WiFi network */
        esp_wifi_disconnect();
    }
}

/** What a test does not set is out of its way. */
static esp_mqtt_client_config_t configuration(void)
{
    return (esp_mqtt_client_config_t){
        .broker.address.uri = getenv("TEST_URI"),
        .broker.verification.certificate = read_file(getenv("TEST_CA")),
        .credentials.client_id = "dev1",
        .credentials.username = getenv("TEST_USERNAME"),
        .credentials.authentication.password = getenv("TEST_PASSWORD"),
        .credentials.authentication.certificate = read_file(getenv("TEST_CERT")),
        .credentials.authentication.key = read_file(getenv("TEST_KEY")),
        .session.keepalive = number("TEST_KEEPALIVE_S", 30),
        .session.last_will = {.topic = "devices/dev1/status", .msg = "gone", .qos = 1, .retain = 1},
        .session.disable_clean_session = getenv("TEST_KEEP_SESSION") != NULL,
        .session.message_retransmit_timeout = number("TEST_RETRANSMIT_MS", 300000),
        .network.timeout_ms = number("TEST_NETWORK_TIMEOUT_MS", 300000),
        .network.disable_auto_reconnect = getenv("TEST_AUTO_RECONNECT") == NULL,
        .network.reconnect_timeout_ms = number("TEST_RECONNECT_TIMEOUT_MS", 200),
        .network.refresh_connection_after_ms = number("TEST_REFRESH_MS", 0),
        .buffer.size = number("TEST_BUFFER", 0),
        .buffer.out_size = number("TEST_OUT_BUFFER", 0),
        .outbox.limit = (uint64_t)number("TEST_OUTBOX_LIMIT", 0),
    };
}

void app_main(void)
{
    go_online();
    const esp_mqtt_client_config_t config = configuration();
    s_client = esp_mqtt_client_init(&config);
    if (s_client == NULL) {
        REPORT("no client");
        CHECK(esp_mqtt_client_start(s_client) == ESP_ERR_INVALID_ARG);
        finish("mqtt");
    }
    CHECK(esp_mqtt_client_register_event(s_client, MQTT_EVENT_ANY, on_event, NULL) == ESP_OK);
    CHECK(esp_mqtt_client_stop(s_client) == ESP_FAIL);
    CHECK(esp_mqtt_client_reconnect(s_client) == ESP_FAIL);
    CHECK(esp_mqtt_client_publish(s_client, "t", "x", 0, 0, 0) == -1);
    CHECK(esp_mqtt_client_subscribe(s_client, "t", 0) == -1);
    CHECK(esp_mqtt_client_start(s_client) == ESP_OK);
    CHECK(esp_mqtt_client_start(s_client) == ESP_FAIL);
    char command[192];
    while (fgets(command, sizeof command, stdin) != NULL) {
        obey(command);
    }
    CHECK(esp_mqtt_client_destroy(s_client) == ESP_OK);
    finish("mqtt");
}
