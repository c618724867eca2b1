import { ProvError } from "../../errors.js";

/** The chips whose ROM loader the virtual board speaks. */
export type LoaderChip = "esp32" | "esp32c3" | "esp32s3";

/** How DTR and RTS reach the chip: through a UART bridge's two transistors, or the chip's own USB. */
export type ResetCircuit = "uart" | "usb";

/** What the eFuses say of protection; the virtual chip then answers so, it does not encrypt. */
export interface ChipSecurity {
  readonly secureBoot?: boolean;
  readonly flashEncryption?: boolean;
  readonly secureDownload?: boolean;
}

export interface LoaderProfile {
  readonly chip: LoaderChip;
  /** What GET_SECURITY_INFO answers; undefined where the ROM has no such command. */
  readonly securityInfo: Uint8Array | undefined;
  /** Its ROM takes only the few commands that Secure Download Mode leaves. */
  readonly isSecureDownload: boolean;
  /** FLASH_BEGIN's and DEFL_BEGIN's length in ROM mode. */
  readonly beginBytes: 16 | 20;
  /** Registers that do not read as zero. */
  readonly registers: ReadonlyMap<number, number>;
  /** The SPI controller's base and the offsets of its USR2 and W0 registers. */
  readonly spi: { readonly base: number; readonly usr2: number; readonly w0: number };
  /** RTC watchdog configuration; writing its top bit arms a reset. */
  readonly watchdogConfig: number | undefined;
  /** What the ROM prints when it enters the loader. */
  readonly downloadBanner: string;
}

const MAGIC_REGISTER = 0x4000_1000;

export function isLoaderChip(chip: string): chip is LoaderChip {
  return chip === "esp32" || chip === "esp32c3" || chip === "esp32s3";
}

/**
 * @param mac 12 hex digits
 * @throws ProvError usage when the MAC is not one
 */
export function loaderProfile(
  chip: LoaderChip,
  mac: string,
  options: { circuit: ResetCircuit; security?: ChipSecurity },
): LoaderProfile {
  if (!/^[0-9a-f]{12}$/i.test(mac)) throw new ProvError("usage", `not a MAC address: ${mac}`);
  const words = {
    high: Number.parseInt(mac.slice(0, 4), 16),
    low: Number.parseInt(mac.slice(4), 16),
  };
  const security = options.security ?? {};
  if (chip === "esp32") return classic(words, security);
  if (chip === "esp32c3") return c3(words, options.circuit, security);
  return s3(words, options.circuit, security);
}

interface MacWords {
  readonly high: number;
  readonly low: number;
}

function c3(mac: MacWords, circuit: ResetCircuit, security: ChipSecurity): LoaderProfile {
  const block1 = 0x6000_8844;
  const isUsb = circuit === "usb";
  return {
    chip: "esp32c3",
    securityInfo: securityInfo(5, 3, security),
    isSecureDownload: security.secureDownload ?? false,
    beginBytes: 20,
    registers: new Map([
      [MAGIC_REGISTER, 0x1b31_506f],
      [block1, mac.low],
      [block1 + 4, mac.high],
      [block1 + 12, 0x0810_0000], // 4 MB in the package, revision 0.4
      [block1 + 16, 1], // XMC
      [0x3fcd_f07c, isUsb ? 3 : 0], // UARTDEV_BUF_NO: which port the ROM talks through
    ]),
    spi: { base: 0x6000_2000, usr2: 0x20, w0: 0x58 },
    watchdogConfig: 0x6000_8090,
    downloadBanner: isUsb
      ? `${ESP32C3_HEAD}rst:0x15 (USB_UART_CHIP_RESET),boot:0x4 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n`
      : `${ESP32C3_HEAD}rst:0x1 (POWERON),boot:0x7 (DOWNLOAD(USB/UART0/1))\r\nwait uart0 download\r\n`,
  };
}

function s3(mac: MacWords, circuit: ResetCircuit, security: ChipSecurity): LoaderProfile {
  const block1 = 0x6000_7044;
  const isUsb = circuit === "usb";
  const reason = isUsb ? "0x15 (USB_UART_CHIP_RESET)" : "0x1 (POWERON)";
  return {
    chip: "esp32s3",
    securityInfo: securityInfo(9, 0, security),
    isSecureDownload: security.secureDownload ?? false,
    beginBytes: 20,
    registers: new Map([
      [MAGIC_REGISTER, 9],
      [block1, mac.low],
      [block1 + 4, mac.high],
      [block1 + 12, 2 << 18], // no flash in the package, revision 0.2
      [0x3fce_f14c, isUsb ? 3 : 0], // UARTDEV_BUF_NO
    ]),
    spi: { base: 0x6000_2000, usr2: 0x20, w0: 0x58 },
    watchdogConfig: 0x6000_8098,
    downloadBanner: `ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\nrst:${reason},boot:0x0 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n`,
  };
}

function classic(mac: MacWords, security: ChipSecurity): LoaderProfile {
  const efuse = 0x3ff5_a000;
  return {
    chip: "esp32",
    securityInfo: undefined,
    isSecureDownload: false,
    beginBytes: 16,
    registers: new Map([
      [MAGIC_REGISTER, 0x00f0_1d83],
      [efuse, security.flashEncryption ? 1 << 20 : 0],
      [efuse + 4, mac.low],
      [efuse + 8, mac.high],
      [efuse + 12, (1 << 9) | (1 << 13) | (1 << 15)], // D0WD, 240 MHz, revision bit 0
      [efuse + 20, (1 << 20) | (1 << 24)], // revision bit 1, minor revision 1
      [efuse + 24, security.secureBoot ? 1 << 5 : 0],
      [0x3ff6_607c, 0x8000_0000], // APB_CTRL date, whose top bit is revision bit 2
      [0x3ff4_0014, 347], // UART0 divider: 40 MHz / 115200
    ]),
    spi: { base: 0x3ff4_2000, usr2: 0x24, w0: 0x80 },
    watchdogConfig: undefined,
    downloadBanner:
      "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n",
  };
}

const ESP32C3_HEAD = "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n";

/** flags, flash_crypt_cnt, seven key purposes (the last reads 12 on the true ROM), chip id, API. */
function securityInfo(chipId: number, apiVersion: number, security: ChipSecurity): Uint8Array {
  const info = Buffer.alloc(20);
  info.writeUInt32LE((security.secureBoot ? 1 : 0) | (security.secureDownload ? 4 : 0), 0);
  info[4] = security.flashEncryption ? 1 : 0;
  info[11] = 12;
  info.writeUInt32LE(chipId, 12);
  info.writeUInt32LE(apiVersion, 16);
  return info;
}
