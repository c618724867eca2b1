/* What the virtual board tells the process through its environment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_system.h"
#include "host_chip.h"

typedef struct {
    const char *flash_path;  /* PROV_HOST_FLASH; NULL when unset */
    const char *air_dir;     /* PROV_HOST_AIR; NULL when unset: nothing on the air */
    uint8_t base_mac[6];     /* PROV_HOST_MAC */
    const host_chip_t *chip; /* PROV_HOST_CHIP; an ESP32 when unset */
    const char *radio_path;  /* PROV_HOST_RADIO; NULL when unset: the air file is the radio */
    const char *ap_interface; /* PROV_HOST_AP_INTERFACE; NULL when unset: the SoftAP is on the loopback interface */
    bool is_clock_real;      /* PROV_HOST_CLOCK=real */
    esp_reset_reason_t reset_reason; /* PROV_HOST_RESET_REASON */
    int control_fd;          /* PROV_HOST_CONTROL_FD; -1 when unset */
} host_env_t;

/** Read once, at the first call. A malformed value ends the process with a message. */
const host_env_t *host_env(void);
