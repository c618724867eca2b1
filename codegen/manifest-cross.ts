import { AP_CHANNELS } from "./ap-channels.js";
import { apClientIssues } from "./ap-clients.js";
import { curveOf } from "./certificate-rules.js";
import { hardwareOf } from "./chips.js";
import { closest } from "./closest.js";
import type { DeviceManifest, SdkconfigValue } from "./manifest.js";
import { certificatesIn } from "./pinned-ca.js";
import {
  BUTTON_GPIO_MAX,
  findSdkconfigSymbol,
  SDKCONFIG_SYMBOLS,
  type SdkconfigSymbol,
} from "./sdkconfig-table.js";
import { isSecuritySymbol, securityIssues } from "./security.js";
import { AGAINST_DYNAMIC_BUFFERS, curveOption, widensOffer } from "./tls-offer.js";

export interface CrossFieldIssue {
  readonly path: string;
  readonly expected: string;
  /** What came instead, when it is not simply the value at `path`. */
  readonly got?: string;
}

/** Parts of ESP-IDF without which the AP does not start, or gives nobody an address. */
const AP_NEEDS = [
  "CONFIG_ESP_WIFI_ENABLED",
  "CONFIG_ESP_WIFI_SOFTAP_SUPPORT",
  "CONFIG_LWIP_DHCPS",
  "CONFIG_LWIP_IPV4",
];
const FLASH_TOO_SMALL = ["CONFIG_ESPTOOLPY_FLASHSIZE_1MB", "CONFIG_ESPTOOLPY_FLASHSIZE_2MB"];

/** Pass two: what no field can know for itself. */
export function crossFieldIssues(device: DeviceManifest): CrossFieldIssue[] {
  const entries = Object.entries(device.sdkconfig);
  return [
    ...entries.flatMap(([name, value]) => symbolIssue(name, value, device)),
    ...SDKCONFIG_SYMBOLS.flatMap((symbol) => orderIssue(symbol, device)),
    ...radioIssues(device),
    ...apClientIssues(device),
    ...buttonIssue(device),
    ...captiveDnsIssue(device),
    ...trustIssue(device),
    ...pinnedCurveIssue(device),
    ...mqttPasswordIssue(device),
    ...securityIssues(device),
  ];
}

function symbolIssue(
  name: string,
  value: SdkconfigValue,
  device: DeviceManifest,
): CrossFieldIssue[] {
  const path = `sdkconfig.${name}`;
  if (name === "CONFIG_IDF_TARGET" || name.startsWith("CONFIG_IDF_TARGET_")) {
    return [{ path, expected: "the chip in the field target alone" }];
  }
  if (isSecuritySymbol(name)) {
    return [{ path, expected: "the value in the field security alone" }];
  }
  if (FLASH_TOO_SMALL.includes(name) && value === true) {
    return [{ path, expected: "at least 4 MB of flash, which partitions.csv fills" }];
  }
  if (AP_NEEDS.includes(name) && value !== true) {
    return [{ path, expected: "true (the device is set up over its AP)" }];
  }
  const tls = tlsConflict(name, value, device);
  if (tls !== undefined) return [{ path, expected: tls }];
  const symbol = findSdkconfigSymbol(name);
  if (symbol === undefined) return unknownProvSymbol(name, path);
  if (symbol.field !== undefined) {
    return [{ path, expected: `the value in the field ${symbol.field} alone` }];
  }
  const expected = expectedValue(symbol, device);
  return accepts(symbol, value, device) ? [] : [{ path, expected }];
}

/** An option that the narrow offer, or the buffers, would leave without the effect that it is set for. */
function tlsConflict(name: string, value: SdkconfigValue, { tls }: DeviceManifest) {
  if (value === true && !tls.allSuites && widensOffer(name))
    return "tls.allSuites too, without which the device offers ECDHE with AES-GCM alone";
  if (tls.dynamicBuffers && AGAINST_DYNAMIC_BUFFERS[name] === value)
    return "tls.dynamicBuffers: false beside it, as ESP-IDF has not both";
  return undefined;
}

function unknownProvSymbol(name: string, path: string): CrossFieldIssue[] {
  if (!name.startsWith("CONFIG_PROV_")) return [];
  const near = closest(
    name,
    SDKCONFIG_SYMBOLS.map((symbol) => symbol.name),
  );
  const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
  return [{ path, expected: "a symbol of the firmware's Kconfig", got: `an unknown one${hint}` }];
}

function accepts(symbol: SdkconfigSymbol, value: SdkconfigValue, device: DeviceManifest): boolean {
  const own = symbol.value(device);
  if (typeof value !== typeof own || value === "") return false;
  if (typeof value === "boolean") return symbol.needed === undefined || value === own;
  const [min, max] = symbol.range?.(device) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return typeof value === "string" || (value >= min && value <= max);
}

function expectedValue(symbol: SdkconfigSymbol, device: DeviceManifest): string {
  const own = symbol.value(device);
  const reason = symbol.needed === undefined ? "" : ` (${symbol.needed})`;
  if (typeof own === "string") return "non-empty text";
  if (typeof own === "number") return `integer ${symbol.range?.(device).join("–") ?? ""}${reason}`;
  return symbol.needed === undefined ? "boolean" : `${own}${reason}`;
}

/** A backoff starts at its smallest delay and never exceeds its largest. */
function orderIssue({ name, atMost }: SdkconfigSymbol, device: DeviceManifest): CrossFieldIssue[] {
  if (atMost === undefined) return [];
  const [min, max] = [effective(name, device), effective(atMost, device)];
  if (typeof min !== "number" || typeof max !== "number" || min <= max) return [];
  return [{ path: `sdkconfig.${name}`, expected: `at most ${atMost} (${max})`, got: String(min) }];
}

/** The country decides about the channels, the chip about the number of clients. */
function radioIssues(device: DeviceManifest): CrossFieldIssue[] {
  const { country } = device.wifi;
  const last = AP_CHANNELS.get(country);
  if (last === undefined)
    return [
      {
        path: "wifi.country",
        expected: `a country that ESP-IDF's WiFi driver knows: ${[...AP_CHANNELS.keys()].sort().join(", ")}`,
        got: JSON.stringify(country),
      },
    ];
  const { channel } = device.softAp;
  if (channel <= last) return [];
  return [
    {
      path: "softAp.channel",
      expected: `1–${last}, the channels that wifi.country "${country}" allows`,
      got: String(channel),
    },
  ];
}

/** A pin of the flash stops the chip at every start; one without pull-up would reset it to the factory state. */
function buttonIssue(device: DeviceManifest): CrossFieldIssue[] {
  const { buttonPins } = hardwareOf(device.target);
  const name = "CONFIG_PROV_BUTTON_GPIO";
  const pin = effective(name, device);
  if (typeof pin !== "number" || pin < 0 || pin > BUTTON_GPIO_MAX) return []; // said already
  if (buttonPins.some(([first, last]) => pin >= first && pin <= last)) return [];
  const runs = buttonPins.map(([first, last]) => `${first}–${last}`).join(", ");
  return [
    {
      path: `sdkconfig.${name}`,
      expected: `a pin that the ${device.target} has free for a button: ${runs}`,
      got: String(pin),
    },
  ];
}

/** The AP's DHCP server has these. */
function captiveDnsIssue(device: DeviceManifest): CrossFieldIssue[] {
  const name = "CONFIG_PROV_CAPTIVE_DNS_PORT";
  const port = effective(name, device);
  if (port !== 67 && port !== 68) return [];
  return [
    { path: `sdkconfig.${name}`, expected: "a port that DHCP does not use", got: String(port) },
  ];
}

/** TLS needs something to check the backend against. */
function trustIssue(device: DeviceManifest): CrossFieldIssue[] {
  if (
    device.backend.ca !== null ||
    effective("CONFIG_MBEDTLS_CERTIFICATE_BUNDLE", device) !== false
  )
    return [];
  return [
    {
      path: "backend.ca",
      expected: "a CA to pin, because sdkconfig switches the certificate bundle off",
    },
  ];
}

/** A curve that is not built: mbedTLS reads no key on it. */
function pinnedCurveIssue(device: DeviceManifest): CrossFieldIssue[] {
  const { ca } = device.backend;
  const curves = ca === null ? [] : certificatesIn(ca).map((facts) => facts && curveOf(facts.key));
  const missing = curves.find((curve) => curve && effective(curveOption(curve), device) === false);
  if (missing === undefined) return [];
  return [
    {
      path: "backend.ca",
      expected: missing.isNarrowed
        ? "a CA on P-256, P-384 or P-521, or tls.allSuites: true beside it"
        : `a CA on a curve that sdkconfig leaves, or no ${curveOption(missing)}`,
      got: `a certificate with a key on ${missing.name}`,
    },
  ];
}

/** MQTT 3.1.1, 3.1.2.9: without a user name there must be no password. */
function mqttPasswordIssue({ mqtt }: DeviceManifest): CrossFieldIssue[] {
  if (mqtt.password === "" || mqtt.username !== "") return [];
  return [{ path: "mqtt.username", expected: "a user name, because mqtt.password is given" }];
}

function effective(name: string, device: DeviceManifest): SdkconfigValue | undefined {
  return device.sdkconfig[name] ?? findSdkconfigSymbol(name)?.value(device);
}
