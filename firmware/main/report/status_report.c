#include "status_report.h"

#include <stdio.h>

#include "device_identity.h"
#include "esp_app_desc.h"
#include "esp_netif.h"
#include "json_text.h"
#include "sdkconfig.h"

const char *status_word(const prov_status_t *status)
{
    if (status->state == PROV_STATE_MQTT_CONNECTED) {
        return "connected";
    }
    return status->was_connected ? "disconnected" : "provisioning";
}

static const char *firmware_version(void)
{
    return esp_app_get_description()->version;
}

static void add_ip(cJSON *root, uint32_t ip)
{
    char text[16] = "";
    if (ip != 0) {
        esp_ip4_addr_t address = {.addr = ip};
        snprintf(text, sizeof text, IPSTR, IP2STR(&address));
    }
    cJSON_AddStringToObject(root, "ip", text);
}

static void add_text_or_null(cJSON *root, const char *name, const char *text)
{
    if (text[0] != '\0') {
        cJSON_AddStringToObject(root, name, text);
    } else {
        cJSON_AddNullToObject(root, name);
    }
}

static void add_failure(cJSON *root, const char *name, prov_failure_t failure, const char *detail)
{
    if (failure == PROV_FAILURE_NONE) {
        cJSON_AddNullToObject(root, name);
        return;
    }
    char message[160];
    bool detailed = detail[0] != '\0';
    snprintf(message, sizeof message, "%s%s%s%s", prov_failure_message(failure), detailed ? " (" : "", detail,
             detailed ? ")" : "");
    cJSON *error = cJSON_AddObjectToObject(root, name);
    cJSON_AddStringToObject(error, "code", prov_failure_code(failure));
    cJSON_AddStringToObject(error, "message", message);
}

char *status_report_http(const prov_status_t *status)
{
    json_text_t text = json_text_begin();
    cJSON *root = text.root;
    cJSON_AddStringToObject(root, "status", status_word(status));
    add_ip(root, status->ip);
    cJSON_AddStringToObject(root, "device_id", device_identity_id());
    cJSON_AddStringToObject(root, "state", prov_state_name(status->state));
    add_failure(root, "error", status->failure, status->detail);
    add_failure(root, "last_error", status->last_failure, status->last_detail);
    cJSON_AddNumberToObject(root, "attempts_remaining", status->attempts_remaining);
    cJSON_AddStringToObject(root, "fw", firmware_version());
    add_text_or_null(root, "attempt_id", status->attempt_id);
    cJSON_AddBoolToObject(root, "wifi_connected", status->wifi_connected);
    cJSON_AddBoolToObject(root, "certificate", status->certificate);
    cJSON_AddBoolToObject(root, "pairing_required", sizeof CONFIG_PROV_PAIRING_SECRET > 1);
    return json_text_end(&text);
}

/** The first connection since boot is none. */
static uint32_t reconnects(uint32_t connects)
{
    return connects > 0 ? connects - 1 : 0;
}

static void add_stacks(cJSON *root, const uint32_t *stack_min)
{
    cJSON *stacks = cJSON_AddObjectToObject(root, "stack_min");
    for (stack_mark_t task = 0; task < STACK_MARK_COUNT; task++) {
        if (stack_min[task] > 0) {
            cJSON_AddNumberToObject(stacks, stack_marks_name(task), stack_min[task]);
        }
    }
}

char *status_report_mqtt(const prov_status_t *status, const status_vitals_t *vitals)
{
    json_text_t text = json_text_begin();
    cJSON *root = text.root;
    cJSON_AddStringToObject(root, "device_id", device_identity_id());
    cJSON_AddStringToObject(root, "state", prov_state_name(status->state));
    cJSON_AddStringToObject(root, "status", status_word(status));
    add_ip(root, status->ip);
    cJSON_AddNumberToObject(root, "rssi", vitals->rssi);
    cJSON_AddStringToObject(root, "fw", firmware_version());
    cJSON_AddNumberToObject(root, "uptime_s", vitals->uptime_s);
    cJSON_AddNumberToObject(root, "heap_free", vitals->heap_free);
    cJSON_AddNumberToObject(root, "heap_min", vitals->heap_min);
    add_stacks(root, vitals->stack_min);
    cJSON_AddStringToObject(root, "reset_reason", vitals->reset_reason);
    cJSON_AddNumberToObject(root, "cert_not_after", (double)status->cert_not_after);
    add_text_or_null(root, "last_error", prov_failure_code(status->last_failure));
    cJSON_AddNumberToObject(root, "wifi_reconnects", reconnects(status->wifi_connects));
    cJSON_AddNumberToObject(root, "mqtt_reconnects", reconnects(status->mqtt_connects));
    add_text_or_null(root, "attempt_id", status->attempt_id);
    add_text_or_null(root, "ssid_digest", status->ssid_digest);
    cJSON_AddNumberToObject(root, "seq", vitals->seq);
    return json_text_end(&text);
}

char *status_report_offline(void)
{
    json_text_t text = json_text_begin();
    cJSON *root = text.root;
    cJSON_AddStringToObject(root, "device_id", device_identity_id());
    cJSON_AddStringToObject(root, "status", "offline");
    return json_text_end(&text);
}

char *status_report_backend(const prov_status_t *status)
{
    json_text_t text = json_text_begin();
    cJSON *root = text.root;
    cJSON_AddStringToObject(root, "device_id", device_identity_id());
    cJSON_AddStringToObject(root, "status", status_word(status));
    add_ip(root, status->ip);
    cJSON_AddStringToObject(root, "fw", firmware_version());
    return json_text_end(&text);
}
