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
