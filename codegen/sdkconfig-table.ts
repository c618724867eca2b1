import { hardwareOf } from "./chips.js";
import { type DeviceManifest, LOG_LEVELS, type SdkconfigValue } from "./manifest.js";
import { partitionsFile } from "./security.js";

type Range = readonly [number, number];

/** One CONFIG symbol that codegen sets itself. */
export interface SdkconfigSymbol {
  /** With the `CONFIG_` prefix. */
  readonly name: string;
  readonly menu: string;
  readonly type: "bool" | "int" | "string";
  readonly value: (manifest: DeviceManifest) => SdkconfigValue;
  /** The manifest field that alone decides the value; `sdkconfig` may not set it beside. */
  readonly field?: string;
  /** Smallest and largest value of an int, both allowed. */
  readonly range?: Range | ((manifest: DeviceManifest) => Range);
  /** Why the manifest may not weaken it: a bool must stay as it is, an int may only grow. */
  readonly needed?: string;
}

const WIFI_MENU = "WiFi Provisioning Configuration";
const BACKEND_MENU = "Backend Configuration";
const MQTT_MENU = "MQTT Configuration";
const LOG_MENU = "Log and core dump";
const IDF_MENU = "What a sound build needs of ESP-IDF";

/** The last pin of any chip. */
export const BUTTON_GPIO_MAX = 54;

/** Every symbol of the firmware's Kconfig menus, and those of ESP-IDF that the firmware depends on. */
export const SDKCONFIG_SYMBOLS: readonly SdkconfigSymbol[] = [
  fromField(
    WIFI_MENU,
    "SOFTAP_SSID_PREFIX",
    "string",
    "softAp.ssidPrefix",
    (m) => m.softAp.ssidPrefix,
  ),
  fromField(WIFI_MENU, "SOFTAP_PASSWORD", "string", "softAp.password", (m) => m.softAp.password),
  fromField(WIFI_MENU, "SOFTAP_CHANNEL", "int", "softAp.channel", (m) => m.softAp.channel),
  tunable(WIFI_MENU, "SOFTAP_MAX_CLIENTS", 4, (m) => [1, hardwareOf(m.target).apClients]),
  fromField(
    WIFI_MENU,
    "PAIRING_SECRET",
    "string",
    "softAp.pairingSecret",
    (m) => m.softAp.pairingSecret,
  ),
  fromField(WIFI_MENU, "AP_WINDOW_S", "int", "softAp.windowSeconds", (m) => m.softAp.windowSeconds),
  fromField(WIFI_MENU, "WIFI_ALLOW_OPEN", "bool", "wifi.allowOpen", (m) => m.wifi.allowOpen),
  fromField(WIFI_MENU, "WIFI_COUNTRY", "string", "wifi.country", (m) => m.wifi.country),
  fromField(
    WIFI_MENU,
    "FALLBACK_AP_S",
    "int",
    "wifi.fallbackApSeconds",
    (m) => m.wifi.fallbackApSeconds,
  ),
  tunable(WIFI_MENU, "CAPTIVE_DNS_PORT", 53, [0, 65_535]),
  tunable(WIFI_MENU, "WIFI_MAX_ATTEMPTS", 5, [1, 100]),
  tunable(WIFI_MENU, "WIFI_CONNECT_TIMEOUT_MS", 15_000, [1_000, 120_000]),
  tunable(WIFI_MENU, "DHCP_TIMEOUT_MS", 15_000, [1_000, 120_000]),
  tunable(WIFI_MENU, "CONNECT_DELAY_MS", 1_000, [0, 10_000]),
  tunable(WIFI_MENU, "AP_LINGER_MS", 30_000, [0, 600_000]),
  tunable(WIFI_MENU, "RECONNECT_MIN_MS", 1_000, [100, 600_000]),
  tunable(WIFI_MENU, "RECONNECT_MAX_MS", 60_000, [100, 3_600_000]),
  {
    name: "CONFIG_PROV_BUTTON_GPIO",
    menu: WIFI_MENU,
    type: "int",
    value: (m) => hardwareOf(m.target).bootButtonGpio,
    range: [0, BUTTON_GPIO_MAX],
  },
  tunable(WIFI_MENU, "BUTTON_HOLD_MS", 5_000, [500, 60_000]),

  fromField(BACKEND_MENU, "BACKEND_URL", "string", "backend.url", (m) => m.backend.url),
  tunable(BACKEND_MENU, "BACKEND_TIMEOUT_MS", 10_000, [1_000, 120_000]),
  tunable(BACKEND_MENU, "BACKEND_MAX_ATTEMPTS", 5, [1, 100]),
  tunable(BACKEND_MENU, "BACKEND_RETRY_MIN_MS", 500, [10, 600_000]),
  tunable(BACKEND_MENU, "BACKEND_RETRY_MAX_MS", 30_000, [10, 3_600_000]),
  fromField(
    BACKEND_MENU,
    "REPORT_PATH",
    "string",
    "backend.reportPath",
    (m) => m.backend.reportPath,
  ),
  fromField(BACKEND_MENU, "SNTP_SERVERS", "string", "time.servers", (m) =>
    m.time.servers.join(" "),
  ),
  tunable(BACKEND_MENU, "SNTP_TIMEOUT_MS", 10_000, [100, 120_000]),

  fromField(MQTT_MENU, "MQTT_BROKER_URI", "string", "mqtt.uri", (m) => m.mqtt.uri),
  fromField(
    MQTT_MENU,
    "MQTT_STATUS_INTERVAL_S",
    "int",
    "mqtt.statusIntervalSeconds",
    (m) => m.mqtt.statusIntervalSeconds,
  ),
  tunable(MQTT_MENU, "MQTT_KEEPALIVE_S", 60, [5, 65_535]),
  tunable(MQTT_MENU, "MQTT_RECONNECT_MIN_MS", 1_000, [100, 600_000]),
  tunable(MQTT_MENU, "MQTT_RECONNECT_MAX_MS", 60_000, [100, 3_600_000]),
  tunable(MQTT_MENU, "MQTT_ACK_TIMEOUT_MS", 20_000, [100, 600_000]),
  tunable(MQTT_MENU, "MQTT_STABLE_S", 60, [1, 86_400]),

  // One of a choice, whose others are off.
  ...LOG_LEVELS.map(
    (level): SdkconfigSymbol => ({
      name: `CONFIG_LOG_DEFAULT_LEVEL_${level.toUpperCase()}`,
      menu: LOG_MENU,
      type: "bool",
      value: (m) => m.logLevel === level,
      field: "logLevel",
    }),
  ),
  {
    name: "CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH",
    menu: LOG_MENU,
    type: "bool",
    value: (m) => m.coreDump,
    field: "coreDump",
  },

  needed("MBEDTLS_HAVE_TIME_DATE", true, "without it expired certificates are accepted"),
  needed("MBEDTLS_PEM_PARSE_C", true, "keys and certificates are PEM"),
  needed("MBEDTLS_ECP_DP_SECP256R1_ENABLED", true, "the CA's and the device's keys are on P-256"),
  needed("ESP_TLS_INSECURE", false, "it would let TLS go without a check of the server"),
  { name: "CONFIG_MBEDTLS_CERTIFICATE_BUNDLE", menu: IDF_MENU, type: "bool", value: () => true },
  // A choice, not a lack: with 1.3 a server refuses our certificate after the handshake only, where nothing tells it
  // from a broker that shuts down, and MBEDTLS_DYNAMIC_BUFFER is excluded.
  { name: "CONFIG_MBEDTLS_SSL_PROTO_TLS1_3", menu: IDF_MENU, type: "bool", value: () => false },
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
    type: "string",
    value: partitionsFile,
  },
  { name: "CONFIG_ESPTOOLPY_FLASHSIZE_4MB", menu: IDF_MENU, type: "bool", value: () => true },
];

export function findSdkconfigSymbol(name: string): SdkconfigSymbol | undefined {
  return SDKCONFIG_SYMBOLS.find((symbol) => symbol.name === name);
}

function fromField(
  menu: string,
  name: string,
  type: SdkconfigSymbol["type"],
  field: string,
  value: SdkconfigSymbol["value"],
): SdkconfigSymbol {
  return { name: `CONFIG_PROV_${name}`, menu, type, value, field };
}

/** A value without a manifest field of its own; `sdkconfig` may change it within the range. */
function tunable(
  menu: string,
  name: string,
  value: number,
  range: NonNullable<SdkconfigSymbol["range"]>,
): SdkconfigSymbol {
  return { name: `CONFIG_PROV_${name}`, menu, type: "int", value: () => value, range };
}

function needed(name: string, value: boolean, why: string): SdkconfigSymbol;
function needed(name: string, value: number, why: string, max: number): SdkconfigSymbol;
function needed(name: string, value: boolean | number, why: string, max?: number): SdkconfigSymbol {
  const row = { name: `CONFIG_${name}`, menu: IDF_MENU, value: () => value, needed: why };
  if (typeof value === "boolean") return { ...row, type: "bool" };
  return { ...row, type: "int", range: [value, max ?? value] };
}
