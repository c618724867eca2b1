import type { Target } from "./manifest.js";

/** What the virtual board's drivers refuse is in firmware/host; what the chips' do, is in ESP-IDF alone. */

const UP_TO_11 = ["01", "CA", "US"];
const UP_TO_13 = [
  ...["AT", "AU", "BE", "BG", "BR", "CH", "CN", "CY", "CZ", "DE", "DK", "EE", "ES", "FI"],
  ...["FR", "GB", "GR", "HK", "HR", "HU", "IE", "IN", "IS", "IT", "KR", "LI", "LT", "LU"],
  ...["LV", "MT", "MX", "NL", "NO", "NZ", "PL", "PT", "RO", "SE", "SI", "SK", "TW"],
];

/**
 * The last channel of each country at 2.4 GHz, from 1 on. The codes are those that the driver of every
 * ESP-IDF from 5.0 to 6.1 knows (`esp_wifi_set_country_code()`); it takes no other, and no other channel.
 */
export const AP_CHANNELS: ReadonlyMap<string, number> = new Map([
  ...UP_TO_11.map((country) => [country, 11] as const),
  ...UP_TO_13.map((country) => [country, 13] as const),
  ["JP", 14],
]);

interface ChipLimits {
  /** First and last of each run of pins that exist, can be pulled up and are not the flash's. */
  readonly buttonPins: readonly (readonly [number, number])[];
  /** `ESP_WIFI_MAX_CONN_NUM`, or the firmware's own limit where that is lower. */
  readonly apClients: number;
}

const AP_CLIENTS = 10;

const LIMITS: Readonly<Record<Target, ChipLimits>> = {
  esp32: {
    buttonPins: [
      [0, 5],
      [12, 19],
      [21, 23],
      [25, 27],
      [32, 33],
    ],
    apClients: AP_CLIENTS,
  },
  esp32s2: {
    buttonPins: [
      [0, 21],
      [33, 45],
    ],
    apClients: AP_CLIENTS,
  },
  esp32s3: {
    buttonPins: [
      [0, 21],
      [33, 48],
    ],
    apClients: AP_CLIENTS,
  },
  esp32c2: {
    buttonPins: [
      [0, 10],
      [18, 20],
    ],
    apClients: 4,
  },
  esp32c3: {
    buttonPins: [
      [0, 10],
      [18, 21],
    ],
    apClients: AP_CLIENTS,
  },
  esp32c5: {
    buttonPins: [
      [0, 15],
      [23, 28],
    ],
    apClients: AP_CLIENTS,
  },
  esp32c6: { buttonPins: [[0, 23]], apClients: AP_CLIENTS },
  host: { buttonPins: [[0, 54]], apClients: AP_CLIENTS },
};

export function chipLimits(target: Target): ChipLimits {
  return LIMITS[target];
}
