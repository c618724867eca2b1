/* The radio: the SoftAP and the station. */
#pragma once

#include "esp_err.h"
#include "prov_records.h"

/** Brings the driver up in station mode. Posts PROV_MSG_LINK_* from then on. */
esp_err_t wifi_link_init(void);

/** Opens the SoftAP beside the station, waits until its interface is up, and logs its name. */
esp_err_t wifi_link_ap_start(void);
esp_err_t wifi_link_ap_stop(void);

/** Starts one association. The outcome comes as LINK_ASSOCIATED and LINK_UP, or LINK_DOWN. */
esp_err_t wifi_link_connect(const wifi_credentials_t *wifi);
/** Leaves the network or gives up the attempt; nothing is posted for it. */
void wifi_link_disconnect(void);

/** Signal of the access point we are on, dBm; 0 when there is none. */
int wifi_link_rssi(void);
