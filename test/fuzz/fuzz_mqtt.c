/*
 * The host port's whole MQTT client at a broker that says the input, while another task uses its API. The input's first
 * byte says how many choices come next: how the network and that task behave. What the broker says is the rest.
 */
#include <stdbool.h>

#include "esp_random.h"
#include "freertos/event_groups.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "fuzz.h"
#include "host_connection.h"
#include "mqtt_client.h"
#include "mqtt_client_priv.h"
#include "stubs.h"

#define OUTBOX_LIMIT 600
#define OUTBOX_AGE_MS 30000
#define SENT_MAX 65536
#define OPENINGS_MAX 8
#define TURNS_MAX 300

static input_t s_choices;
static input_t s_broker;
static esp_mqtt_client_handle_t s_client;
static TaskFunction_t s_code;
static char s_tasks[2]; /* their handles: the client's and another one */
static bool s_is_client;
static int64_t s_now_ms;
static EventBits_t s_bits;
static uint8_t s_sent[SENT_MAX]; /* on this connection */
static size_t s_sent_length;
static bool s_is_cut; /* the network took but a part of a packet */
static int s_openings;
static int s_turns; /* of the other task */
static bool s_is_published[65536];

int64_t host_uptime_us(void)
{
    return s_now_ms * 1000;
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void)
{
    return (SemaphoreHandle_t)&s_bits;
}

BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t mutex, TickType_t ticks)
{
    (void)mutex, (void)ticks;
    return pdTRUE;
}

BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t mutex)
{
    (void)mutex;
    return pdTRUE;
}

void vQueueDelete(QueueHandle_t queue)
{
    (void)queue;
}

void vSemaphoreDelete(SemaphoreHandle_t semaphore)
{
    (void)semaphore;
}

EventGroupHandle_t xEventGroupCreate(void)
{
    s_bits = 0;
    return (EventGroupHandle_t)&s_bits;
}

void vEventGroupDelete(EventGroupHandle_t group)
{
    (void)group;
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t group, const EventBits_t bits)
{
    (void)group;
    return s_bits |= bits;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t group, const EventBits_t bits)
{
    (void)group;
    EventBits_t before = s_bits;
    s_bits &= ~bits;
    return before;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack, void *argument, UBaseType_t priority,
                       TaskHandle_t *task)
{
    (void)name, (void)stack, (void)argument, (void)priority;
    s_code = code;
    *task = (TaskHandle_t)&s_tasks[true];
    return pdPASS;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return (TaskHandle_t)&s_tasks[s_is_client];
}

void vTaskDelete(TaskHandle_t task)
{
    MUST(task == NULL && s_is_client);
}

static void publish(int qos)
{
    static const char s_data[300] = "data";
    bool is_connected = s_client->state == MQTT_STATE_CONNECTED;
    int id = esp_mqtt_client_publish(s_client, "topic", s_data, 1 + take_byte(&s_choices), qos, 0);
    MUST(id >= -2 && id <= UINT16_MAX && (id != 0 || qos == 0) && (id >= 0 || qos > 0 || !is_connected || s_is_cut));
    if (id > 0) {
        s_is_published[id] = true;
    }
}

/* Another task's turn. */
static void use(void)
{
    int choice = take_byte(&s_choices);
    if (choice < 3) {
        publish(choice);
    } else if (choice == 3) {
        (void)esp_mqtt_client_subscribe(s_client, "filter/#", 1);
    } else if (choice == 4) {
        (void)esp_mqtt_client_unsubscribe(s_client, "filter/#");
    } else if (choice == 5) {
        MUST(esp_mqtt_client_disconnect(s_client) == ESP_OK);
    } else if (choice == 6) {
        (void)esp_mqtt_client_reconnect(s_client);
    }
}

/* Time passes in the client's own waits; when all is said, the other task stops it. */
static void pass(int64_t ms)
{
    s_now_ms += ms;
    s_is_client = false;
    if (++s_turns > TURNS_MAX || (s_broker.left == 0 && s_choices.left == 0)) {
        MUST(!s_client->runs || esp_mqtt_client_stop(s_client) == ESP_OK);
    } else {
        use();
    }
    s_is_client = true;
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, const EventBits_t bits, const BaseType_t clear,
                                const BaseType_t all, TickType_t ticks)
{
    (void)group, (void)all;
    EventBits_t before = s_bits;
    if (clear) {
        s_bits &= ~bits;
    }
    if (ticks > 0 && s_is_client) {
        pass(ticks * portTICK_PERIOD_MS);
    }
    return before;
}

int host_socket_wait(const host_socket_t *sock, short events, int timeout_ms)
{
    (void)sock, (void)events;
    pass(take_byte(&s_choices) == 7 ? OUTBOX_AGE_MS : timeout_ms / 4);
    return 0;
}

bool host_connection_open(host_connection_t *connection, const host_endpoint_t *endpoint)
{
    MUST(connection->socket.fd < 0 && strcmp(endpoint->host, "broker") == 0 && endpoint->port == 1883);
    s_sent_length = 0;
    s_is_cut = false;
    bool is_open = take_byte(&s_choices) != 1 && s_openings++ < OPENINGS_MAX;
    connection->socket.fd = is_open ? 1000000 : -1; /* no descriptor of this process */
    return is_open;
}

int host_connection_poll_read(host_connection_t *connection, int timeout_ms)
{
    (void)connection, (void)timeout_ms;
    return take_byte(&s_choices) != 1 && s_broker.left > 0;
}

int host_connection_read(host_connection_t *connection, void *buffer, size_t size, int timeout_ms)
{
    MUST(size > 0);
    int choice = take_byte(&s_choices);
    if (connection->socket.fd < 0 || choice == 1) {
        return HOST_CONNECTION_FAILED;
    }
    if (s_broker.left == 0 || choice == 2) {
        s_now_ms += timeout_ms;
        return s_choices.left == 0 ? HOST_CONNECTION_CLOSED : HOST_CONNECTION_TIMEOUT;
    }
    size = choice > 2 && (size_t)choice - 2 < size ? (size_t)choice - 2 : size;
    size = size < s_broker.left ? size : s_broker.left;
    memcpy(buffer, s_broker.at, size);
    s_broker.at += size;
    s_broker.left -= size;
    return (int)size;
}

int host_connection_write(host_connection_t *connection, const void *data, size_t size, int timeout_ms)
{
    int choice = take_byte(&s_choices);
    MUST(size > 0);
    if (connection->socket.fd < 0 || choice == 1 || choice == 2 || size > SENT_MAX - s_sent_length) {
        s_is_cut = true;
        s_now_ms += timeout_ms;
        return choice == 2 ? HOST_CONNECTION_TIMEOUT : HOST_CONNECTION_FAILED;
    }
    size = choice > 2 && (size_t)choice - 2 < size ? (size_t)choice - 2 : size;
    memcpy(&s_sent[s_sent_length], data, size);
    s_sent_length += size;
    return (int)size;
}

/* What was sent is whole packets that a client may send, the first of them CONNECT. */
void host_connection_close(host_connection_t *connection)
{
    for (size_t at = 0, total = 0; connection->socket.fd >= 0 && !s_is_cut && at < s_sent_length; at += total) {
        size_t header;
        const uint8_t *packet = &s_sent[at];
        total = mqtt_total_length(packet, s_sent_length - at, &header);
        MUST(total <= s_sent_length - at && mqtt_may_begin_with(packet[0]));
        MUST((mqtt_type(packet) == MQTT_CONNECT) == (at == 0));
        MUST(mqtt_type(packet) != MQTT_CONNACK && mqtt_type(packet) != MQTT_SUBACK &&
             mqtt_type(packet) != MQTT_UNSUBACK && mqtt_type(packet) != MQTT_PINGRESP);
    }
    connection->socket.fd = -1;
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base;
    static volatile uint8_t s_sink;
    const esp_mqtt_event_t *event = data;
    for (int i = 0; i < event->topic_len; i++) {
        s_sink = (uint8_t)event->topic[i];
    }
    for (int i = 0; i < event->data_len; i++) {
        s_sink = (uint8_t)event->data[i];
    }
    (void)s_sink;
    MUST(id != MQTT_EVENT_DATA || (event->current_data_offset + event->data_len <= event->total_data_len &&
                                   (event->current_data_offset == 0 || event->topic == NULL)));
    MUST(id != MQTT_EVENT_PUBLISHED || s_is_published[event->msg_id]);
    MUST(id != MQTT_EVENT_CONNECTED || s_client->state == MQTT_STATE_CONNECTED);
    MUST(id != MQTT_EVENT_DISCONNECTED || s_client->state == MQTT_STATE_WAIT_RECONNECT);
    size_t bytes = 0;
    for (const mqtt_outbox_item_t *item = s_client->outbox.first; item != NULL; item = item->next) {
        bytes += item->length;
    }
    MUST(bytes == s_client->outbox.bytes);
    if (take_byte(&s_choices) == 8) {
        publish(1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t input = {.at = data, .left = size};
    size_t choices = take_byte(&input);
    choices = choices < input.left ? choices : input.left;
    s_choices = (input_t){.at = input.at, .left = choices};
    s_broker = (input_t){.at = input.at + choices, .left = input.left - choices};
    s_now_ms = 1000;
    s_openings = 0;
    s_turns = 0;
    stub_random = 0; /* so that an input can know the ids */
    memset(s_is_published, 0, sizeof s_is_published);
    const esp_mqtt_client_config_t config = {
        .broker.address.uri = "mqtt://broker",
        .credentials.client_id = "id",
        .network.disable_auto_reconnect = take_byte(&s_choices) == 1,
        .buffer = {.size = take_byte(&s_choices), .out_size = take_byte(&s_choices)},
        .outbox.limit = OUTBOX_LIMIT,
    };
    s_is_client = false;
    s_client = esp_mqtt_client_init(&config);
    MUST(s_client != NULL && esp_mqtt_client_register_event(s_client, MQTT_EVENT_ANY, on_event, NULL) == ESP_OK);
    MUST(esp_mqtt_client_start(s_client) == ESP_OK);
    s_is_client = true;
    s_code(s_client);
    s_is_client = false;
    MUST(s_client->outbox.first == NULL && s_client->outbox.bytes == 0 && s_client->connection.socket.fd == -1);
    MUST(esp_mqtt_client_destroy(s_client) == ESP_OK);
    return 0;
}
