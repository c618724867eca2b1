/* One MQTT client: connect to $TEST_URI, report every event; on CONNECTED subscribe and publish.
   Standard input: `stop`, `reconnect`, `publish`, `leave` (the WiFi network), end = destroy. */
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

static void on_connected(const esp_mqtt_event_t *event)
{
    CHECK(esp_mqtt_client_stop(event->client) == ESP_FAIL); /* not from the handler */
    int id = esp_mqtt_client_subscribe(event->client, "devices/dev1/cmd", 1);
    REPORT("connected, subscribing %d", id > 0);
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    esp_mqtt_event_handle_t event = data;
    const esp_mqtt_error_codes_t *error = event->error_handle;
    switch ((esp_mqtt_event_id_t)id) {
    case MQTT_EVENT_CONNECTED:
        on_connected(event);
        break;
    case MQTT_EVENT_DISCONNECTED:
        REPORT("disconnected");
        break;
    case MQTT_EVENT_SUBSCRIBED:
        REPORT("subscribed");
        break;
    case MQTT_EVENT_PUBLISHED:
        REPORT("published %d", event->msg_id);
        break;
    case MQTT_EVENT_DATA:
        REPORT("data %.*s %.*s", event->topic_len, event->topic, event->data_len, event->data);
        break;
    case MQTT_EVENT_ERROR:
        REPORT("error type=%d code=%d tls=0x%x stack=0x%x flags=0x%x errno=%d",
               error->error_type, error->connect_return_code, error->esp_tls_last_esp_err,
               error->esp_tls_stack_err, error->esp_tls_cert_verify_flags,
               error->esp_transport_sock_errno);
        break;
    default:
        break;
    }
}

static void obey(const char *command)
{
    if (strcmp(command, "stop\n") == 0) {
        REPORT("stop %s", esp_err_to_name(esp_mqtt_client_stop(s_client)));
    } else if (strcmp(command, "start\n") == 0) {
        REPORT("start %s", esp_err_to_name(esp_mqtt_client_start(s_client)));
    } else if (strcmp(command, "reconnect\n") == 0) {
        REPORT("reconnect %s", esp_err_to_name(esp_mqtt_client_reconnect(s_client)));
    } else if (strcmp(command, "publish\n") == 0) {
        int id = esp_mqtt_client_publish(s_client, "devices/dev1/cmd", "hello", 0, 1, 0);
        REPORT("publishing %d", id);
    } else if (strcmp(command, "publish0\n") == 0) {
        REPORT("publishing0 %d", esp_mqtt_client_publish(s_client, "devices/dev1/x", "y", 0, 0, 0));
    } else if (strcmp(command, "leave\n") == 0) {
        esp_wifi_disconnect();
    }
}

/** esp-mqtt's own pause before a reconnection, half of which a stop waits out; 0 is its default. */
static int reconnect_timeout_ms(void)
{
    const char *text = getenv("TEST_RECONNECT_TIMEOUT_MS");
    return text != NULL ? atoi(text) : 200;
}

/** More than any machine needs, where a time limit is not what is tested. */
static int network_timeout_ms(void)
{
    const char *text = getenv("TEST_NETWORK_TIMEOUT_MS");
    return text != NULL ? atoi(text) : 300000;
}

void app_main(void)
{
    go_online();
    esp_mqtt_client_config_t config = {
        .broker.address.uri = getenv("TEST_URI"),
        .broker.verification.certificate = read_file(getenv("TEST_CA")),
        .credentials.client_id = "dev1",
        .credentials.authentication.certificate = read_file(getenv("TEST_CERT")),
        .credentials.authentication.key = read_file(getenv("TEST_KEY")),
        .session.keepalive = 30,
        .session.last_will = {.topic = "devices/dev1/status", .msg = "gone", .qos = 1, .retain = 1},
        .network.timeout_ms = network_timeout_ms(),
        .network.disable_auto_reconnect = true,
        .network.reconnect_timeout_ms = reconnect_timeout_ms(),
    };
    s_client = esp_mqtt_client_init(&config);
    if (s_client == NULL) {
        REPORT("no client");
        finish("mqtt");
    }
    CHECK(esp_mqtt_client_register_event(s_client, MQTT_EVENT_ANY, on_event, NULL) == ESP_OK);
    CHECK(esp_mqtt_client_stop(s_client) == ESP_FAIL);
    CHECK(esp_mqtt_client_publish(s_client, "t", "x", 0, 0, 0) == -1);
    CHECK(esp_mqtt_client_start(s_client) == ESP_OK);
    CHECK(esp_mqtt_client_start(s_client) == ESP_FAIL);
    char command[64];
    while (fgets(command, sizeof command, stdin) != NULL) {
        obey(command);
    }
    CHECK(esp_mqtt_client_destroy(s_client) == ESP_OK);
    finish("mqtt");
}
