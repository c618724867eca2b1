/*
 * What menuconfig lets through although no device could work with it is not built at all: it would be found
 * out by a crash on every start, or by silence. The manifest says the same earlier and with more words.
 */
#include <stdint.h>

#include "backend_client.h"
#include "button_pins.h"
#include "pairing.h"
#include "sdkconfig.h"

#define LENGTH(text) (sizeof(text) - 1)
#define STARTS_WITH(text, start) (__builtin_strncmp(text, start, LENGTH(start)) == 0)

_Static_assert(LENGTH(CONFIG_PROV_SOFTAP_SSID_PREFIX) >= 1 && LENGTH(CONFIG_PROV_SOFTAP_SSID_PREFIX) <= 25,
               "PROV_SOFTAP_SSID_PREFIX: 1 to 25 bytes");
_Static_assert(LENGTH(CONFIG_PROV_SOFTAP_PASSWORD) >= 8 && LENGTH(CONFIG_PROV_SOFTAP_PASSWORD) <= 63,
               "PROV_SOFTAP_PASSWORD: 8 to 63 bytes");
_Static_assert(LENGTH(CONFIG_PROV_PAIRING_SECRET) <= PAIRING_SECRET_MAX, "PROV_PAIRING_SECRET: at most 64 bytes");
_Static_assert(CONFIG_PROV_SOFTAP_CHANNEL >= 1 && CONFIG_PROV_SOFTAP_CHANNEL <= 14, "PROV_SOFTAP_CHANNEL: 1 to 14");
_Static_assert(CONFIG_PROV_SOFTAP_MAX_CLIENTS >= 1 && CONFIG_PROV_SOFTAP_MAX_CLIENTS <= 15,
               "PROV_SOFTAP_MAX_CLIENTS: 1 to 15");
/* The pins of the flash stop the chip; one that cannot be pulled up resets the device now and then. */
_Static_assert(CONFIG_PROV_BUTTON_GPIO >= 0 && CONFIG_PROV_BUTTON_GPIO < 64 &&
                   (BUTTON_PINS >> CONFIG_PROV_BUTTON_GPIO & 1) != 0,
               "PROV_BUTTON_GPIO: a pin that this chip has free for a button");

_Static_assert(CONFIG_PROV_RECONNECT_MIN_MS > 0 && CONFIG_PROV_RECONNECT_MIN_MS <= CONFIG_PROV_RECONNECT_MAX_MS,
               "PROV_RECONNECT_MIN_MS: at most PROV_RECONNECT_MAX_MS");
_Static_assert(CONFIG_PROV_BACKEND_RETRY_MIN_MS > 0 &&
                   CONFIG_PROV_BACKEND_RETRY_MIN_MS <= CONFIG_PROV_BACKEND_RETRY_MAX_MS,
               "PROV_BACKEND_RETRY_MIN_MS: at most PROV_BACKEND_RETRY_MAX_MS");
_Static_assert(CONFIG_PROV_MQTT_RECONNECT_MIN_MS > 0 &&
                   CONFIG_PROV_MQTT_RECONNECT_MIN_MS <= CONFIG_PROV_MQTT_RECONNECT_MAX_MS,
               "PROV_MQTT_RECONNECT_MIN_MS: at most PROV_MQTT_RECONNECT_MAX_MS");

/* Tokens and states must not travel in the clear. */
_Static_assert(STARTS_WITH(CONFIG_PROV_BACKEND_URL, "https://") && LENGTH(CONFIG_PROV_BACKEND_URL) <= BACKEND_URL_MAX,
               "PROV_BACKEND_URL: https://, at most 256 bytes");
_Static_assert(STARTS_WITH(CONFIG_PROV_MQTT_BROKER_URI, "mqtts://"), "PROV_MQTT_BROKER_URI: mqtts://");
_Static_assert(LENGTH(CONFIG_PROV_REPORT_PATH) == 0 || (STARTS_WITH(CONFIG_PROV_REPORT_PATH, "/") &&
                                                        LENGTH(CONFIG_PROV_REPORT_PATH) <= BACKEND_PATH_MAX),
               "PROV_REPORT_PATH: a path of at most 128 bytes that starts with a slash, or nothing");
_Static_assert(LENGTH(CONFIG_PROV_SNTP_SERVERS) > 0, "PROV_SNTP_SERVERS: at least one");

#ifndef CONFIG_MBEDTLS_HAVE_TIME_DATE
#error "MBEDTLS_HAVE_TIME_DATE: without it expired certificates are accepted"
#endif
#ifdef CONFIG_ESP_TLS_INSECURE
#error "ESP_TLS_INSECURE would let TLS go without a check of the server"
#endif
/* Less of these ends in a stack overflow at every start, or in a server that never starts. */
_Static_assert(CONFIG_ESP_MAIN_TASK_STACK_SIZE >= 6144, "ESP_MAIN_TASK_STACK_SIZE: at least 6144");
_Static_assert(CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE >= 4096, "ESP_SYSTEM_EVENT_TASK_STACK_SIZE: at least 4096");
_Static_assert(CONFIG_LWIP_MAX_SOCKETS >= 16, "LWIP_MAX_SOCKETS: at least 16");
