import { hardwareOf } from "./chips.js";
import type { DeviceManifest, SdkconfigValue } from "./manifest.js";
import { findSdkconfigSymbol } from "./sdkconfig-table.js";

/* What ESP-IDF sets aside for each client of the AP. */

const CLIENTS = "CONFIG_PROV_SOFTAP_MAX_CLIENTS";
const LEASES = "CONFIG_LWIP_DHCPS_MAX_STATION_NUM";
/** ESP-IDF's own: a client beyond it joins the AP and gets no address. */
const DEFAULT_LEASES = 8;
const ESP_NOW_KEYS = "CONFIG_ESP_WIFI_ESPNOW_MAX_ENCRYPT_NUM";

function clientsOf(device: DeviceManifest): number {
  return Number(device.sdkconfig[CLIENTS] ?? findSdkconfigSymbol(CLIENTS)?.value(device));
}

/** An address and a key for each client, where ESP-IDF's defaults have fewer: the driver refuses a number without keys. */
export function apClientSymbols(device: DeviceManifest): Record<string, SdkconfigValue> {
  const clients = clientsOf(device);
  const { all, espNow } = hardwareOf(device.target).wifiKeys;
  return {
    ...(clients > DEFAULT_LEASES ? { [LEASES]: clients } : {}),
    ...(clients + espNow > all ? { [ESP_NOW_KEYS]: Math.max(all - clients, 0) } : {}),
  };
}

/** ESP-NOW's keys may be the manifest's, but not those that the clients need. */
export function apClientIssues(device: DeviceManifest) {
  const keys = device.sdkconfig[ESP_NOW_KEYS];
  const left = hardwareOf(device.target).wifiKeys.all - clientsOf(device);
  if (typeof keys !== "number" || left < 0 || keys <= left) return [];
  const expected = `at most ${left}: the others are for the AP's clients (${CLIENTS})`;
  return [{ path: `sdkconfig.${ESP_NOW_KEYS}`, expected, got: String(keys) }];
}
