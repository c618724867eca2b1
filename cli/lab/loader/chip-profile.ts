import { CHIPS, type LoaderChip, loaderFacts } from "../../../codegen/chips.js";
import { ProvError } from "../../errors.js";

/** How DTR and RTS reach the chip: through a UART bridge's two transistors, or the chip's own USB. */
export type ResetCircuit = "uart" | "usb";

/** What the eFuses say of protection; the virtual chip then answers so, it does not encrypt. */
export interface ChipSecurity {
  readonly secureBoot?: boolean;
  readonly flashEncryption?: boolean;
  readonly secureDownload?: boolean;
}

const MAGIC_REGISTER = 0x4000_1000;

export type LoaderProfile = ReturnType<typeof loaderProfile>;

/**
 * @param mac 12 hex digits
 * @throws ProvError usage when the MAC is not one
 */
export function loaderProfile(
  chip: LoaderChip,
  mac: string,
  options: { circuit: ResetCircuit; security?: ChipSecurity },
) {
  if (!/^[0-9a-f]{12}$/i.test(mac)) throw new ProvError("usage", `not a MAC address: ${mac}`);
  const words = {
    high: Number.parseInt(mac.slice(0, 4), 16),
    low: Number.parseInt(mac.slice(4), 16),
  };
  const security = options.security ?? {};
  const { magic, efuse, spi, securityApi, uartBuffer } = loaderFacts(chip);
  const isUsb = options.circuit === "usb";
  const isModern = securityApi !== undefined;
  return {
    chip,
    /** What GET_SECURITY_INFO answers; undefined where the ROM has no such command. */
    securityInfo: isModern ? securityInfo(CHIPS[chip].chipId, securityApi, security) : undefined,
    /** Its ROM takes only the few commands that Secure Download Mode leaves. */
    isSecureDownload: isModern && (security.secureDownload ?? false),
    /** FLASH_BEGIN's and DEFL_BEGIN's length in ROM mode. */
    beginBytes: isModern ? 20 : 16,
    /** Registers that do not read as zero. */
    registers: new Map<number, number>([
      [MAGIC_REGISTER, magic],
      ...SPECIMENS[chip](efuse, words, security),
      ...(uartBuffer === undefined ? [] : [[uartBuffer, isUsb ? 3 : 0] as const]),
    ]),
    spi,
    /** RTC watchdog configuration; writing its top bit arms a reset. */
    watchdogConfig: CHIPS[chip].watchdog?.config0,
    /** What the ROM prints when it enters the loader. */
    downloadBanner: banner(chip, isUsb),
  };
}

interface MacWords {
  readonly high: number;
  readonly low: number;
}

type Registers = readonly (readonly [address: number, value: number])[];

/** The one chip of its kind that the board plays: its MAC address, package and revision. */
const SPECIMENS: Readonly<
  Record<LoaderChip, (efuse: number, mac: MacWords, security: ChipSecurity) => Registers>
> = {
  esp32c3: (efuse, mac) => [
    ...macInBlock1(efuse, mac),
    [efuse + 0x50, 0x0810_0000], // 4 MB in the package, revision 0.4
    [efuse + 0x54, 1], // XMC
  ],
  esp32s3: (efuse, mac) => [
    ...macInBlock1(efuse, mac),
    [efuse + 0x50, 2 << 18], // no flash in the package, revision 0.2
  ],
  esp32: (efuse, mac, security) => [
    [efuse, security.flashEncryption ? 1 << 20 : 0],
    [efuse + 4, mac.low],
    [efuse + 8, mac.high],
    [efuse + 12, (1 << 9) | (1 << 13) | (1 << 15)], // D0WD, 240 MHz, revision bit 0
    [efuse + 20, (1 << 20) | (1 << 24)], // revision bit 1, minor revision 1
    [efuse + 24, security.secureBoot ? 1 << 5 : 0],
    [0x3ff6_607c, 0x8000_0000], // APB_CTRL date, whose top bit is revision bit 2
    [0x3ff4_0014, 347], // UART0 divider: 40 MHz / 115200
  ],
};

function macInBlock1(efuse: number, mac: MacWords): Registers {
  return [
    [efuse + 0x44, mac.low],
    [efuse + 0x48, mac.high],
  ];
}

function banner(chip: LoaderChip, isUsb: boolean): string {
  if (chip === "esp32")
    return "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n";
  const reason = isUsb ? "0x15 (USB_UART_CHIP_RESET)" : "0x1 (POWERON)";
  if (chip === "esp32s3")
    return `ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\nrst:${reason},boot:0x0 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n`;
  const [straps, wait] = isUsb ? ["0x4", "waiting for"] : ["0x7", "wait uart0"];
  return `ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:${reason},boot:${straps} (DOWNLOAD(USB/UART0/1))\r\n${wait} download\r\n`;
}

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
