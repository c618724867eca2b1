/*
 * What the WiFi driver is told of the SoftAP. The country decides about the channels, the chip about the
 * number of clients, and menuconfig knows neither: what the driver refuses is replaced by what every one takes.
 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

/** Names the SoftAP and tells the driver the country. Before softap_config_apply(). */
void softap_config_init(void);

/** Configures the SoftAP, in a mode that has one. An error is one that no setting of ours can mend. */
esp_err_t softap_config_apply(void);

/** Says again and again what was replaced, so that it is seen whenever somebody looks at the log. */
void softap_config_keep_warning(void);

/** `<prefix>-XXXXXX` */
const char *softap_config_ssid(void);

/** The channel until the device joins a network. */
uint8_t softap_config_channel(void);

/** What was replaced and by what, e.g. "channel 13 -> 1 in country 01"; "" when nothing was. */
const char *softap_config_trouble(void);
