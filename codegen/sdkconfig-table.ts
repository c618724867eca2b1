import { hardwareOf, type Target } from "./chips.js";
import { type FieldOption, ROWS } from "./field-kinds.js";
import type { DeviceManifest, SdkconfigValue } from "./manifest.js";
import { LOG_LEVELS, SHAPES } from "./manifest-fields.js";
import { partitionsFile } from "./security.js";
import { CURVES, curveOption, NARROWED_OPTIONS } from "./tls-offer.js";
import { valueAt } from "./value-at.js";

type Range = readonly [number, number];
type RangeOf = (manifest: DeviceManifest) => Range;

/** One CONFIG symbol that codegen sets itself; its type is that of its value. */
export interface SdkconfigSymbol {
  /** With the `CONFIG_` prefix. */
  readonly name: string;
  readonly menu: string;
  readonly value: (manifest: DeviceManifest) => SdkconfigValue;
  /** The manifest field that alone decides the value; `sdkconfig` may not set it beside. */
  readonly field?: string;
  /** Smallest and largest value of a number, both allowed. */
  readonly range?: RangeOf;
  /** Why the manifest may not weaken it: a boolean must stay as it is, a number may only grow. */
  readonly needed?: string;
  /** The symbol whose value a number may not exceed either. */
  readonly atMost?: string;
  /** What menuconfig shows of a symbol of the firmware's own. */
  readonly prompt?: string | undefined;
  readonly help?: string | undefined;
  /** What menuconfig takes, where that is not `range`. */
  readonly menuRange?: RangeOf;
}

type Row = Omit<SdkconfigSymbol, "menu">;

const IDF_MENU = "What a sound build needs of ESP-IDF";
const LOG_MENU = "Log and core dump";
const TLS_MENU = "TLS Configuration";

function lastPin(target: Target): number {
  return Math.max(...hardwareOf(target).buttonPins.map(([, last]) => last));
}

/** The last pin of any chip. */
export const BUTTON_GPIO_MAX = lastPin("host");

/** Every symbol of the firmware's Kconfig menus, and those of ESP-IDF that the firmware depends on. */
export const SDKCONFIG_SYMBOLS: readonly SdkconfigSymbol[] = [
  ...menu("WiFi Provisioning Configuration", ["softAp", "wifi"], {
    "softAp.channel": [
      int(
        "SOFTAP_MAX_CLIENTS",
        4,
        (m) => [1, hardwareOf(m.target).apClients],
        "SoftAP clients at most",
      ),
    ],
    "wifi.fallbackApSeconds": [
      int(
        "CAPTIVE_DNS_PORT",
        53,
        [0, 65_535],
        "Port of the SoftAP's name server",
        "It answers every name with the device's address, so that phones open the set-up page by themselves. 0 switches it off.",
      ),
      int("WIFI_MAX_ATTEMPTS", 5, [1, 100], "Attempts with new WiFi credentials before a verdict"),
      int("WIFI_CONNECT_TIMEOUT_MS", 15_000, [1_000, 120_000], "Time for one association (ms)"),
      int("DHCP_TIMEOUT_MS", 15_000, [1_000, 120_000], "Time to get an IP address (ms)"),
      int(
        "CONNECT_DELAY_MS",
        1_000,
        [0, 10_000],
        "Delay between the answer to POST /provision and the first attempt (ms)",
        "The radio changes channel when it connects; the client must have its answer before.",
      ),
      int(
        "AP_LINGER_MS",
        30_000,
        [0, 600_000],
        "How long the SoftAP stays after success (ms)",
        'It goes away earlier when a client has read "connected".',
      ),
      ...backoff(
        "RECONNECT",
        [100, 1_000],
        [60_000, 3_600_000],
        ["WiFi: shortest", "WiFi: longest"],
      ),
      {
        name: "CONFIG_PROV_BUTTON_GPIO",
        value: (m) => hardwareOf(m.target).bootButtonGpio,
        range: () => [0, BUTTON_GPIO_MAX],
        menuRange: (m) => [0, lastPin(m.target)],
        prompt: "GPIO of the reset button",
        help: "Active low. The default is the BOOT button of Espressif's boards. A pin of the flash, or one without pull-up, does not build.",
      },
      int(
        "BUTTON_HOLD_MS",
        5_000,
        [500, 60_000],
        "Hold the button this long for a factory reset (ms)",
      ),
    ],
  }),
  ...menu("Backend Configuration", ["backend", "time"], {
    "backend.url": [
      int("BACKEND_TIMEOUT_MS", 10_000, [1_000, 120_000], "Network timeout (ms)"),
      int(
        "BACKEND_MAX_ATTEMPTS",
        5,
        [1, 100],
        "Attempts before the failure is reported",
        "The device goes on trying after that, at the longest delay.",
      ),
      ...backoff("BACKEND_RETRY", [10, 500], [30_000, 3_600_000]),
    ],
    "time.servers": [
      int("SNTP_TIMEOUT_MS", 10_000, [100, 120_000], "Time for the time server's answer (ms)"),
    ],
  }),
  ...menu("MQTT Configuration", ["mqtt"], {
    "mqtt.statusIntervalSeconds": [
      int("MQTT_KEEPALIVE_S", 60, [5, 65_535], "Keepalive (s)"),
      ...backoff("MQTT_RECONNECT", [100, 1_000], [60_000, 3_600_000]),
      int(
        "MQTT_ACK_TIMEOUT_MS",
        20_000,
        [100, 600_000],
        "Time for the broker to acknowledge a status message (ms)",
      ),
      int(
        "MQTT_STABLE_S",
        60,
        [1, 86_400],
        "A connection that lasts so long makes up for the failures before it (s)",
        "Or one interval of the status message, if that is longer.",
      ),
    ],
  }),
  ...menu(TLS_MENU, ["tls"], { "tls.dynamicBuffers": tlsRows() }),
  // One of a choice, whose others are off.
  ...LOG_LEVELS.map(
    (level): SdkconfigSymbol => ({
      name: `CONFIG_LOG_DEFAULT_LEVEL_${level.toUpperCase()}`,
      menu: LOG_MENU,
      value: (m) => m.logLevel === level,
      field: "logLevel",
    }),
  ),
  ...menu(LOG_MENU, [""], {}),

  needed("MBEDTLS_HAVE_TIME_DATE", true, "without it expired certificates are accepted"),
  needed("MBEDTLS_PEM_PARSE_C", true, "keys and certificates are PEM"),
  needed("ESP_TLS_INSECURE", false, "it would let TLS go without a check of the server"),
  { name: "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE", menu: IDF_MENU, value: () => true },
  needed("LWIP_MAX_SOCKETS", 16, "the HTTP server alone takes 10 and leaves none for TLS", 64),
  needed("HTTPD_MAX_REQ_HDR_LEN", 2_048, "an Authorization header may have 1024 bytes", 65_536),
  needed(
    "ESP_MAIN_TASK_STACK_SIZE",
    6_144,
    "the main task opens NVS and starts everything",
    65_536,
  ),
  needed("ESP_SYSTEM_EVENT_TASK_STACK_SIZE", 4_096, "the event handlers log", 65_536),
  needed("PARTITION_TABLE_CUSTOM", true, "the flash layout is firmware/partitions.csv"),
  {
    name: "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME",
    menu: IDF_MENU,
    value: partitionsFile,
  },
  { name: "CONFIG_ESPTOOLPY_FLASHSIZE_4MB", menu: IDF_MENU, value: () => true },
];

/** TLS 1.2, and what of mbedTLS goes with the narrow offer or stays. */
function tlsRows(): Row[] {
  const curves = CURVES.filter(({ symbol }) => symbol !== "SECP256R1");
  const option = (name: string, value: Row["value"]): Row => ({ name, value });
  return [
    needed("MBEDTLS_SSL_PROTO_TLS1_2", true, "the device speaks this version of TLS"),
    // A choice, not a lack: with 1.3 a server refuses our certificate after the handshake only, where nothing tells it
    // from a broker that shuts down.
    option("CONFIG_MBEDTLS_SSL_PROTO_TLS1_3", () => false),
    needed("MBEDTLS_GCM_C", true, "the suites that the device offers are of AES-GCM"),
    needed("MBEDTLS_SSL_ALPN", true, "the device asks its backend for http/1.1 by it"),
    option("CONFIG_MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA", () => true),
    option("CONFIG_MBEDTLS_KEY_EXCHANGE_ECDHE_RSA", () => true),
    ...NARROWED_OPTIONS.map((name) => option(`CONFIG_MBEDTLS_${name}`, (m) => m.tls.allSuites)),
    needed("MBEDTLS_ECP_DP_SECP256R1_ENABLED", true, "the CA's and the device's keys are on P-256"),
    ...curves.map((curve) =>
      option(curveOption(curve), (m) => m.tls.allSuites || !curve.isNarrowed),
    ),
    // The longest chain is LIMITS.certificatesDerMaxBytes of DER, and goes out in one piece.
    needed("MBEDTLS_SSL_OUT_CONTENT_LEN", 8_192, "the device's certificate has to fit", 16_384),
  ];
}

export function findSdkconfigSymbol(name: string): SdkconfigSymbol | undefined {
  return SDKCONFIG_SYMBOLS.find((symbol) => symbol.name === name);
}

/** The symbols of some sections' fields, each with what stands below it in the menu. */
function menu(
  title: string,
  sections: readonly string[],
  below: Readonly<Record<string, readonly Row[]>>,
): SdkconfigSymbol[] {
  const fields = sections.flatMap((section) =>
    Object.entries(SHAPES[section] ?? {}).map(([name, schema]) => {
      const path = section === "" ? [name] : [section, name];
      return { path, option: ROWS.get(schema)?.option };
    }),
  );
  return fields
    .flatMap(({ path, option }) => [
      ...(option ? [fromField(path, option)] : []),
      ...(below[path.join(".")] ?? []),
    ])
    .map((row) => ({ ...row, menu: title }));
}

function fromField(path: readonly string[], [symbol, prompt, help]: FieldOption): Row {
  const value = (manifest: DeviceManifest): SdkconfigValue => {
    const given = valueAt(manifest, path);
    return Array.isArray(given) ? given.join(" ") : (given as SdkconfigValue);
  };
  return { name: `CONFIG_${symbol}`, value, field: path.join("."), prompt, help };
}

/** A value without a manifest field of its own; `sdkconfig` may change it within the range. */
function int(
  name: string,
  value: number,
  range: Range | RangeOf,
  prompt: string,
  help?: string,
): Row {
  const rangeOf = typeof range === "function" ? range : () => range;
  return { name: `CONFIG_PROV_${name}`, value: () => value, range: rangeOf, prompt, help };
}

/** A delay that grows from attempt to attempt: least and default of its start, default and most of its end. */
function backoff(
  name: string,
  [least, start]: Range,
  [end, most]: Range,
  [shortest, longest] = ["Shortest", "Longest"],
): Row[] {
  const of = "delay between attempts (ms)";
  const min = int(`${name}_MIN_MS`, start, [least, 600_000], `${shortest} ${of}`);
  return [
    { ...min, atMost: `CONFIG_PROV_${name}_MAX_MS` },
    int(`${name}_MAX_MS`, end, [least, most], `${longest} ${of}`),
  ];
}

function needed(name: string, value: boolean, why: string): SdkconfigSymbol;
function needed(name: string, value: number, why: string, max: number): SdkconfigSymbol;
function needed(name: string, value: boolean | number, why: string, max?: number): SdkconfigSymbol {
  const row = { name: `CONFIG_${name}`, menu: IDF_MENU, value: () => value, needed: why };
  return typeof value === "number" ? { ...row, range: () => [value, max ?? value] } : row;
}
