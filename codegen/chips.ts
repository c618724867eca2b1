/**
 * The chips that run the firmware: everything that prov knows of one stands in its row. Sources: the datasheets, ESP-IDF's
 * `soc_caps.h`, `esp_app_format.h` and `esp_rom`, Espressif's esptool.
 */

interface ChipFacts {
  /** As Espressif writes it. */
  readonly label: string;
  /** `esp_chip_id_t` in the header of an image. */
  readonly chipId: number;
  readonly core: "xtensa" | "riscv";
  /** Offset of the second-stage bootloader in flash, which the ROM fixes. */
  readonly bootloaderOffset: number;
  /** Where flash appears as data: an address that images may name. */
  readonly dromStart: number;
  /** The strapping pin of the download mode, which Espressif's boards have on their BOOT button. */
  readonly bootButtonGpio: number;
  /** First and last of each run of pins that exist, can be pulled up and are not the flash's. */
  readonly buttonPins: readonly (readonly [number, number])[];
  /** `ESP_WIFI_MAX_CONN_NUM`, or the firmware's own limit where that is lower. */
  readonly apClients: number;
  /** Keys in hardware, which the AP's clients share with ESP-NOW's peers; and what ESP-NOW keeps by Kconfig's default. */
  readonly wifiKeys: { readonly all: number; readonly espNow: number };
  readonly peripherals: readonly ("HMAC" | "DS" | "ECDSA" | "USB-Serial-JTAG")[];
  /** The key of secure boot v2; where a chip takes both kinds, RSA is prov's choice. */
  readonly signingKey: "RSA-3072" | "P-256";
  /** The first ESP-IDF that builds for it, as `5.5`; the firmware itself needs 5.0. */
  readonly firstIdf: string;
  /** RTC watchdog, for a chip that its reset lines leave in the loader. */
  readonly watchdog?: {
    readonly protect: number;
    readonly config0: number;
    readonly config1: number;
  };
  /** The ROM's loader, of the chips that the virtual board plays. */
  readonly loader?: LoaderFacts;
}

export interface LoaderFacts {
  /** The word at 0x40001000, by which tools know the chip. */
  readonly magic: number;
  /** Base of the eFuse controller. */
  readonly efuse: number;
  /** The SPI controller's base and the offsets of its USR2 and W0 registers. */
  readonly spi: { readonly base: number; readonly usr2: number; readonly w0: number };
  /** The rest is of the ROMs that know GET_SECURITY_INFO: the version it gives, */
  readonly securityApi?: number;
  /** and UARTDEV_BUF_NO, which port the ROM talks through. */
  readonly uartBuffer?: number;
}

const AP_CLIENTS = 10;
const WIFI_KEYS = { all: 17, espNow: 7 };

function pins(...runs: ChipFacts["buttonPins"]): ChipFacts["buttonPins"] {
  return runs;
}

const TABLE = {
  esp32: {
    label: "ESP32",
    chipId: 0,
    core: "xtensa",
    bootloaderOffset: 0x1000,
    dromStart: 0x3f40_0000,
    bootButtonGpio: 0,
    buttonPins: pins([0, 5], [12, 19], [21, 23], [25, 27], [32, 33]),
    apClients: AP_CLIENTS,
    wifiKeys: WIFI_KEYS,
    peripherals: [],
    signingKey: "RSA-3072",
    firstIdf: "5.0",
    loader: {
      magic: 0x00f0_1d83,
      efuse: 0x3ff5_a000,
      spi: { base: 0x3ff4_2000, usr2: 0x24, w0: 0x80 },
    },
  },
  esp32s2: {
    label: "ESP32-S2",
    chipId: 2,
    core: "xtensa",
    bootloaderOffset: 0x1000,
    dromStart: 0x3f00_0000,
    bootButtonGpio: 0,
    buttonPins: pins([0, 21], [33, 45]),
    apClients: AP_CLIENTS,
    wifiKeys: WIFI_KEYS,
    peripherals: ["HMAC", "DS"],
    signingKey: "RSA-3072",
    firstIdf: "5.0",
  },
  esp32s3: {
    label: "ESP32-S3",
    chipId: 9,
    core: "xtensa",
    bootloaderOffset: 0,
    dromStart: 0x3c00_0000,
    bootButtonGpio: 0,
    buttonPins: pins([0, 21], [33, 48]),
    apClients: AP_CLIENTS,
    wifiKeys: WIFI_KEYS,
    peripherals: ["HMAC", "DS", "USB-Serial-JTAG"],
    signingKey: "RSA-3072",
    firstIdf: "5.0",
    watchdog: { protect: 0x6000_80b0, config0: 0x6000_8098, config1: 0x6000_809c },
    loader: {
      magic: 9,
      efuse: 0x6000_7000,
      spi: { base: 0x6000_2000, usr2: 0x20, w0: 0x58 },
      securityApi: 0,
      uartBuffer: 0x3fce_f14c,
    },
  },
  esp32c2: {
    label: "ESP32-C2",
    chipId: 12,
    core: "riscv",
    bootloaderOffset: 0,
    dromStart: 0x3c00_0000,
    bootButtonGpio: 9,
    buttonPins: pins([0, 10], [18, 20]),
    apClients: 4,
    wifiKeys: { all: 4, espNow: 2 },
    peripherals: [],
    signingKey: "P-256",
    firstIdf: "5.0",
  },
  esp32c3: {
    label: "ESP32-C3",
    chipId: 5,
    core: "riscv",
    bootloaderOffset: 0,
    dromStart: 0x3c00_0000,
    bootButtonGpio: 9,
    buttonPins: pins([0, 10], [18, 21]),
    apClients: AP_CLIENTS,
    wifiKeys: WIFI_KEYS,
    peripherals: ["HMAC", "DS", "USB-Serial-JTAG"],
    signingKey: "RSA-3072",
    firstIdf: "5.0",
    watchdog: { protect: 0x6000_80a8, config0: 0x6000_8090, config1: 0x6000_8094 },
    loader: {
      magic: 0x1b31_506f,
      efuse: 0x6000_8800,
      spi: { base: 0x6000_2000, usr2: 0x20, w0: 0x58 },
      securityApi: 3,
      uartBuffer: 0x3fcd_f07c,
    },
  },
  esp32c5: {
    label: "ESP32-C5",
    chipId: 23,
    core: "riscv",
    bootloaderOffset: 0x2000,
    dromStart: 0x4200_0000,
    bootButtonGpio: 28,
    buttonPins: pins([0, 15], [23, 28]),
    apClients: AP_CLIENTS,
    wifiKeys: WIFI_KEYS,
    peripherals: ["HMAC", "DS", "ECDSA", "USB-Serial-JTAG"],
    signingKey: "RSA-3072",
    firstIdf: "5.5",
  },
  esp32c6: {
    label: "ESP32-C6",
    chipId: 13,
    core: "riscv",
    bootloaderOffset: 0,
    dromStart: 0x4200_0000,
    bootButtonGpio: 9,
    buttonPins: pins([0, 23]),
    apClients: AP_CLIENTS,
    wifiKeys: WIFI_KEYS,
    peripherals: ["HMAC", "DS", "USB-Serial-JTAG"],
    signingKey: "RSA-3072",
    firstIdf: "5.1",
  },
} as const satisfies Readonly<Record<string, ChipFacts>>;

export type Chip = keyof typeof TABLE;
/** `host` is the firmware as a process of this machine, without a chip. */
export type Target = Chip | "host";
/** The short spelling of a chip: `s3` for `esp32s3`. */
export type ShortChip = Exclude<Chip, "esp32"> extends `esp32${infer Short}` ? Short : never;
/** The chips that the virtual board plays, ROM loader included. */
export type LoaderChip = {
  [Name in Chip]: (typeof TABLE)[Name] extends { readonly loader: object } ? Name : never;
}[Chip];

/** What the virtual board plays unless told otherwise. */
export const DEFAULT_LOADER_CHIP: LoaderChip = "esp32c3";

export const CHIPS: Readonly<Record<Chip, ChipFacts>> = TABLE;
export const CHIP_NAMES = Object.keys(TABLE) as readonly Chip[];
export const TARGETS: readonly Target[] = [...CHIP_NAMES, "host"];

/** The ESP-IDF releases that CI builds with, oldest first; each chip from its `firstIdf` on. */
export const IDF_RELEASES = ["5.0", "5.5", "6.0", "6.1"] as const;
export const NEWEST_IDF = IDF_RELEASES[IDF_RELEASES.length - 1];

const HOST = {
  bootButtonGpio: 0,
  buttonPins: pins([0, 54]),
  apClients: AP_CLIENTS,
  wifiKeys: WIFI_KEYS,
} as const;

/** What a configuration has to know of the hardware below it. */
export function hardwareOf(
  target: Target,
): Pick<ChipFacts, "bootButtonGpio" | "buttonPins" | "apClients" | "wifiKeys"> {
  return target === "host" ? HOST : CHIPS[target];
}

export function loaderFacts(chip: LoaderChip): LoaderFacts {
  return TABLE[chip].loader;
}

export function isLoaderChip(chip: Chip): chip is LoaderChip {
  return CHIPS[chip].loader !== undefined;
}

/** Of two releases of ESP-IDF, as `5.5`. */
export function isOlder(release: string, than: string): boolean {
  return release.localeCompare(than, "en", { numeric: true }) < 0;
}

/** @param release of ESP-IDF, as `5.5` */
export function isTooOldFor(chip: Chip, release: string): boolean {
  return isOlder(release, CHIPS[chip].firstIdf);
}

/** `c3` for `esp32c3`; `esp32` has no shorter name. */
export function shortName(chip: Chip): string {
  return chip === "esp32" ? chip : chip.slice("esp32".length);
}

/** The key of secure boot on this target; a process has none, and the manifest says so. */
export function signingKeyOf(target: Target): ChipFacts["signingKey"] {
  return target === "host" ? "RSA-3072" : CHIPS[target].signingKey;
}

/** Accepts `esp32c3`, `c3` and `host`. */
export function findTarget(spelling: string): Target | undefined {
  return TARGETS.find(
    (target) => target === spelling || (target !== "host" && shortName(target) === spelling),
  );
}

/** The chip with this id in the ESP image format, or undefined for one that prov does not know. */
export function chipById(chipId: number): Chip | undefined {
  return CHIP_NAMES.find((name) => CHIPS[name].chipId === chipId);
}

/** Accepts `esp32c3`, `ESP32-C3` and `ESP32-C3 (QFN32) (revision v0.4)`; undefined when unknown. */
export function chipByName(text: string): Chip | undefined {
  const first = text.trim().split(/[\s(]/, 1)[0] ?? "";
  const plain = first.toLowerCase().replaceAll(/[-_]/g, "");
  return CHIP_NAMES.find((name) => name === plain);
}
