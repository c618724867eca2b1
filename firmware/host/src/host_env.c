#include "host_env.h"

#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static host_env_t s_env;
static pthread_once_t s_once = PTHREAD_ONCE_INIT;

static void reject(const char *variable, const char *expected)
{
    fprintf(stderr, "%s: expected %s\n", variable, expected);
    exit(2);
}

static const char *get(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static void read_mac(void)
{
    static const uint8_t DEFAULT_MAC[6] = {0x24, 0x6f, 0x28, 0x00, 0x00, 0x00};
    memcpy(s_env.base_mac, DEFAULT_MAC, sizeof s_env.base_mac);
    const char *text = get("PROV_HOST_MAC");
    if (text == NULL) {
        return;
    }
    if (strlen(text) != 12 || strspn(text, "0123456789abcdefABCDEF") != 12) {
        reject("PROV_HOST_MAC", "12 hex digits");
    }
    for (int i = 0; i < 6; i++) {
        char byte[3] = {text[2 * i], text[2 * i + 1], '\0'};
        s_env.base_mac[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

static void read_reset_reason(void)
{
    static const struct {
        const char *name;
        esp_reset_reason_t reason;
    } REASONS[] = {
        {"poweron", ESP_RST_POWERON}, {"ext", ESP_RST_EXT},           {"sw", ESP_RST_SW},
        {"panic", ESP_RST_PANIC},     {"brownout", ESP_RST_BROWNOUT},
    };
    s_env.reset_reason = ESP_RST_POWERON;
    const char *text = get("PROV_HOST_RESET_REASON");
    if (text == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++) {
        if (strcmp(text, REASONS[i].name) == 0) {
            s_env.reset_reason = REASONS[i].reason;
            return;
        }
    }
    reject("PROV_HOST_RESET_REASON", "poweron, ext, sw, panic or brownout");
}

static void read_clock(void)
{
    const char *text = get("PROV_HOST_CLOCK");
    s_env.is_clock_real = text != NULL && strcmp(text, "real") == 0;
    if (text != NULL && !s_env.is_clock_real && strcmp(text, "unset") != 0) {
        reject("PROV_HOST_CLOCK", "unset or real");
    }
}

static void read_chip(void)
{
    const char *text = get("PROV_HOST_CHIP");
    s_env.chip = host_chip_by_name(text != NULL ? text : "esp32");
    if (s_env.chip == NULL) {
        reject("PROV_HOST_CHIP", "a chip as ESP-IDF spells it");
    }
}

static void read_control_fd(void)
{
    s_env.control_fd = -1;
    const char *text = get("PROV_HOST_CONTROL_FD");
    if (text == NULL) {
        return;
    }
    char *end;
    long fd = strtol(text, &end, 10);
    if (*end != '\0' || fd < 3 || fd > 1023) {
        reject("PROV_HOST_CONTROL_FD", "a descriptor from 3 up");
    }
    s_env.control_fd = (int)fd;
}

static void read_ap_interface(void)
{
    s_env.ap_interface = get("PROV_HOST_AP_INTERFACE");
    if (s_env.ap_interface != NULL && strlen(s_env.ap_interface) >= IFNAMSIZ) {
        reject("PROV_HOST_AP_INTERFACE", "the name of a network interface");
    }
}

static void read_environment(void)
{
    s_env.flash_path = get("PROV_HOST_FLASH");
    s_env.air_dir = get("PROV_HOST_AIR");
    s_env.radio_path = get("PROV_HOST_RADIO");
    read_ap_interface();
    read_mac();
    read_chip();
    read_clock();
    read_reset_reason();
    read_control_fd();
}

const host_env_t *host_env(void)
{
    pthread_once(&s_once, read_environment);
    return &s_env;
}
