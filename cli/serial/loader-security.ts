import type { ESPLoader } from "esptool-js/lib/esploader.js";
import { ProvError } from "../errors.js";
import type { ChipName } from "./chips.js";

const ESP32_EFUSE = 0x3ff5_a000;
const FLASH_CRYPT_COUNT = 0x7f << 20;
const ABS_DONE = 0x30;

/**
 * Writing plain images past flash encryption or secure boot makes a board that never boots again:
 * only Espressif's own tool knows all of it.
 * @throws ProvError esptool_required
 */
export async function checkSecurity(
  loader: ESPLoader,
  chip: ChipName,
  port: string,
): Promise<void> {
  const found = chip === "esp32" ? await readEsp32(loader) : await readSecurityInfo(loader);
  if (found) throw esptoolRequired(`this chip has ${found} enabled`, port);
}

/** Why, and the command to run instead. */
export function esptoolRequired(why: string, port: string, flasherArgs?: string): ProvError {
  const file = flasherArgs ?? "flasher_args.json";
  return new ProvError("esptool_required", `${why}; prov leaves that to Espressif's esptool`, {
    hint: `With ESP-IDF's environment active, in the folder of ${file}: python -m esptool -p ${port} write_flash @flash_args`,
  });
}

async function readEsp32(loader: ESPLoader): Promise<string | undefined> {
  const count = (await loader.readReg(ESP32_EFUSE)) & FLASH_CRYPT_COUNT;
  if (isOdd(count)) return "flash encryption";
  const done = (await loader.readReg(ESP32_EFUSE + 24)) & ABS_DONE;
  return done === 0 ? undefined : "secure boot";
}

async function readSecurityInfo(loader: ESPLoader): Promise<string | undefined> {
  const info = await loader.getSecurityInfo();
  if (info.parsedFlags.SECURE_DOWNLOAD_ENABLE) return "secure download mode";
  if (info.parsedFlags.SECURE_BOOT_EN) return "secure boot";
  return isOdd(info.flashCryptCnt) ? "flash encryption" : undefined;
}

/** Each further bit of the counter turns encryption on and off again. */
function isOdd(bits: number): boolean {
  let parity = false;
  for (let rest = bits >>> 0; rest !== 0; rest &= rest - 1) parity = !parity;
  return parity;
}
