import { CHIPS } from "../../codegen/chips.js";
import { pause } from "../time/wait.js";
import { DEFAULT_BAUD, type SerialLink } from "./link.js";
import { type LoaderSession, openSession } from "./loader-session.js";
import { isUsbSerialJtag, resetIntoApp, watchBoot } from "./reset.js";

const BOOT_WATCH_MS = 400;
const WATCHDOG_MS = 600;

const WATCHDOG_KEY = 0x50d8_3aa1;
/** Enabled, stage 0 resets the system, by the slow clock. */
const WATCHDOG_CONFIG = (0x8000_0000 | (5 << 28) | (1 << 8) | 2) >>> 0;
const WATCHDOG_TICKS = 2_000;

/**
 * Starts the application with an EN pulse. A chip that ends in the loader again (seen over
 * USB-Serial-JTAG) gets a second pulse, and then the watchdog, which no reset line can mislead.
 */
export async function leaveLoader(
  session: LoaderSession,
  link: SerialLink,
  onNote: (text: string) => void,
): Promise<void> {
  session.release();
  await link.setBaud(DEFAULT_BAUD);
  if (!link.canReset()) {
    onNote("this port has no reset lines: press RESET to start the application");
    return;
  }
  for (let attempt = 0; attempt < 2; attempt++) {
    const outcome = watchBoot(link, BOOT_WATCH_MS);
    await resetIntoApp(link);
    if ((await outcome) !== "download") return;
  }
  if (await watchdogReset(link)) return;
  onNote(
    "the chip stays in its loader: press RESET or reconnect the board to start the application",
  );
}

/** @returns false when the chip has none that is known here, or it is still in the loader after it */
async function watchdogReset(link: SerialLink): Promise<boolean> {
  const session = await openSession({ link, baud: DEFAULT_BAUD, stub: false });
  const { loader, chip } = session;
  const registers = CHIPS[chip].watchdog;
  if (!registers) {
    session.release();
    return false;
  }
  const outcome = watchBoot(link, WATCHDOG_MS);
  await loader.writeReg(registers.protect, WATCHDOG_KEY);
  await loader.writeReg(registers.config1, WATCHDOG_TICKS);
  await loader.writeReg(registers.config0, WATCHDOG_CONFIG);
  await loader.writeReg(registers.protect, 0).catch(() => {}); // it may have bitten already
  session.release();
  if (isUsbSerialJtag(link)) await pause(WATCHDOG_MS);
  return (await outcome) !== "download";
}
