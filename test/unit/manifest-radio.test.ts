import { describe, expect, test } from "vitest";
import { AP_CHANNELS } from "../../codegen/ap-channels.js";
import { CHIP_NAMES, CHIPS } from "../../codegen/chips.js";
import { emitSdkconfigDefaults } from "../../codegen/sdkconfig.js";
import { complaintsOf, soundDevice } from "../helpers/manifest.js";

function messages(definition: Record<string, unknown>): string[] {
  return complaintsOf({ id: "radio", ...definition });
}

describe("the AP's channel and the country are judged as a pair", () => {
  test.each([
    ["01", 11],
    ["US", 11],
    ["CA", 11],
    ["DE", 13],
    ["CN", 13],
    ["JP", 13], // 14 is for a kind of signal that no AP sends any more
  ])("%s: up to %i", (country, last) => {
    for (let channel = 1; channel <= last; channel++)
      expect(messages({ softAp: { channel }, wifi: { country } })).toEqual([]);
    for (let channel = last + 1; channel <= 13; channel++)
      expect(messages({ softAp: { channel }, wifi: { country } })).toEqual([
        `softAp.channel: expected 1–${last}, the channels that wifi.country "${country}" allows, got ${channel}`,
      ]);
  });

  test.each([12, 13])("channel %i needs a country that is named", (channel) => {
    expect(messages({ softAp: { channel } })).toEqual([
      `softAp.channel: expected 1–11, the channels that wifi.country "01" allows, got ${channel}`,
    ]);
  });

  test.each(["ZZ", "EU", "UK", "RU"])("%s is no country of the driver's", (country) => {
    const [message, ...others] = messages({ softAp: { channel: 13 }, wifi: { country } });
    expect(others).toEqual([]);
    expect(message).toMatch(
      /^wifi\.country: expected a country that ESP-IDF's WiFi driver knows: 01, AT, AU, .*, US, got "..?"$/,
    );
  });

  test("every country that esp_wifi.h names is there", () => {
    expect(AP_CHANNELS.size).toBe(45);
  });
});

describe("what the chip takes", () => {
  test.each([...CHIP_NAMES, "host"] as const)("of the AP's clients: %s", (target) => {
    const max = target === "esp32c2" ? 4 : 10;
    const clients = (count: number) =>
      messages({ target, sdkconfig: { CONFIG_PROV_SOFTAP_MAX_CLIENTS: count } });
    expect(clients(1)).toEqual([]);
    expect(clients(max)).toEqual([]);
    for (const count of [0, max + 1])
      expect(clients(count)).toEqual([
        `sdkconfig.CONFIG_PROV_SOFTAP_MAX_CLIENTS: expected integer 1–${max}, got ${count}`,
      ]);
  });

  test("each client that the AP takes can have an address", () => {
    const leases = (sdkconfig: Record<string, number>) => {
      const device = soundDevice({ id: "radio", target: "esp32c3", sdkconfig });
      const text = emitSdkconfigDefaults(device);
      return /^CONFIG_LWIP_DHCPS_MAX_STATION_NUM=(\d+)$/m.exec(text)?.[1];
    };
    expect(leases({ CONFIG_PROV_SOFTAP_MAX_CLIENTS: 8 })).toBeUndefined();
    expect(leases({ CONFIG_PROV_SOFTAP_MAX_CLIENTS: 10 })).toBe("10");
    const own = { CONFIG_PROV_SOFTAP_MAX_CLIENTS: 9, CONFIG_LWIP_DHCPS_MAX_STATION_NUM: 20 };
    expect(leases(own)).toBe("20");
  });

  test.each([
    ["esp32c2", {}, "0"],
    ["esp32c2", { CONFIG_PROV_SOFTAP_MAX_CLIENTS: 3 }, "1"],
    ["esp32c2", { CONFIG_PROV_SOFTAP_MAX_CLIENTS: 2 }, undefined],
    ["esp32c3", {}, undefined],
    ["esp32c3", { CONFIG_PROV_SOFTAP_MAX_CLIENTS: 10 }, undefined],
    ["esp32", { CONFIG_PROV_SOFTAP_MAX_CLIENTS: 10 }, undefined],
    ["esp32", { CONFIG_ESP_WIFI_ESPNOW_MAX_ENCRYPT_NUM: 13 }, "13"],
  ] as const)("each client that the AP takes can have a key: %s %j", (target, sdkconfig, keys) => {
    const text = emitSdkconfigDefaults(soundDevice({ id: "radio", target, sdkconfig }));
    expect(/^CONFIG_ESP_WIFI_ESPNOW_MAX_ENCRYPT_NUM=(\d+)$/m.exec(text)?.[1]).toBe(keys);
  });

  test.each([
    ["esp32c2", {}, 1, 0],
    ["esp32c2", { CONFIG_PROV_SOFTAP_MAX_CLIENTS: 2 }, 3, 2],
    ["esp32c3", {}, 14, 13],
    ["esp32s3", { CONFIG_PROV_SOFTAP_MAX_CLIENTS: 10 }, 8, 7],
  ] as const)("%s %j: ESP-NOW does not get %i keys", (target, more, keys, left) => {
    const name = "CONFIG_ESP_WIFI_ESPNOW_MAX_ENCRYPT_NUM";
    const given = (count: number) => messages({ target, sdkconfig: { ...more, [name]: count } });
    expect(given(left)).toEqual([]);
    expect(given(keys)).toEqual([
      `sdkconfig.${name}: expected at most ${left}: the others are for the AP's clients (CONFIG_PROV_SOFTAP_MAX_CLIENTS), got ${keys}`,
    ]);
  });

  test.each(CHIP_NAMES)("as the pin of the button: %s", (target) => {
    const button = (pin: number) =>
      messages({ target, sdkconfig: { CONFIG_PROV_BUTTON_GPIO: pin } });
    expect(button(CHIPS[target].bootButtonGpio)).toEqual([]);
    const taken = Array.from({ length: 55 }, (_, pin) => pin).filter(
      (pin) => button(pin).length === 0,
    );
    const runs = CHIPS[target].buttonPins;
    expect(taken).toEqual(
      runs.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, step) => first + step),
      ),
    );
    expect(button(55)).toEqual([
      "sdkconfig.CONFIG_PROV_BUTTON_GPIO: expected integer 0–54, got 55",
    ]);
  });

  test.each([
    ["esp32", 6, "the flash"],
    ["esp32", 36, "an input without pull-up"],
    ["esp32c3", 12, "the flash"],
    ["esp32c6", 30, "the flash"],
    ["esp32s3", 24, "no pin at all"],
  ] as const)("%s, pin %i: %s", (target, pin, _why) => {
    const [message] = messages({ target, sdkconfig: { CONFIG_PROV_BUTTON_GPIO: pin } });
    expect(message).toMatch(
      new RegExp(
        `^sdkconfig\\.CONFIG_PROV_BUTTON_GPIO: expected a pin that the ${target} has free for a button: .*, got ${pin}$`,
      ),
    );
  });
});

test.each([67, 68])("the name server does not take DHCP's port %i", (port) => {
  expect(messages({ sdkconfig: { CONFIG_PROV_CAPTIVE_DNS_PORT: port } })).toEqual([
    `sdkconfig.CONFIG_PROV_CAPTIVE_DNS_PORT: expected a port that DHCP does not use, got ${port}`,
  ]);
});

test.each(["ESP_WIFI_ENABLED", "ESP_WIFI_SOFTAP_SUPPORT", "LWIP_DHCPS", "LWIP_IPV4"])(
  "without %s there is no AP",
  (name) => {
    expect(messages({ sdkconfig: { [`CONFIG_${name}`]: true } })).toEqual([]);
    expect(messages({ sdkconfig: { [`CONFIG_${name}`]: false } })).toEqual([
      `sdkconfig.CONFIG_${name}: expected true (the device is set up over its AP), got false`,
    ]);
  },
);
