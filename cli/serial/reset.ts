import { pause } from "../time/wait.js";
import { ESPRESSIF, type SerialLink } from "./link.js";

/** `uart`: two transistors behind a UART bridge. `usb`: the chip's own USB-Serial-JTAG. */
export type ResetKind = "uart" | "usb";

const USB_SERIAL_JTAG = 0x1001;
const EN_LOW_MS = 100;
const USB_STEP_MS = 100;

export function isUsbSerialJtag(link: SerialLink): boolean {
  return link.usb.vendorId === ESPRESSIF && link.usb.productId === USB_SERIAL_JTAG;
}

/**
 * Resets the chip into its ROM loader.
 * @param holdMs how long IO0 stays low after the release of EN; slow capacitors want more
 */
export async function resetIntoLoader(
  link: SerialLink,
  kind: ResetKind,
  holdMs: number,
): Promise<void> {
  if (kind === "uart") {
    await link.setLines({ dtr: false, rts: true });
    await pause(EN_LOW_MS);
    await link.setLines({ dtr: true, rts: false });
    await pause(holdMs);
    await link.setLines({ dtr: false, rts: false });
    return;
  }
  await link.setLines({ dtr: false, rts: false });
  await pause(USB_STEP_MS);
  await link.setLines({ dtr: true, rts: false });
  await pause(USB_STEP_MS);
  // Through (1,1), which does nothing, so that the flag is still set when RTS stands alone.
  await link.setLines({ dtr: true, rts: true });
  await link.setLines({ dtr: false, rts: true });
  await pause(USB_STEP_MS);
  await link.setLines({ dtr: false, rts: false });
}

/**
 * Resets the chip into the application, on either circuit. DTR stays low throughout: asserted again
 * with RTS it would select the loader.
 * @param onReset called when the old run has ended: what arrives from then on is the new one's
 */
export async function resetIntoApp(link: SerialLink, onReset?: () => void): Promise<void> {
  await link.setLines({ dtr: false, rts: false });
  await link.setLines({ dtr: false, rts: true });
  onReset?.();
  await pause(EN_LOW_MS);
  await link.setLines({ dtr: false, rts: false });
}

/** Both texts occur: the second one is the ESP32-C3's, on UART0. */
const DOWNLOAD_TEXT = /waiting for download|wait uart0 download|boot:0x[0-9a-f]+ \(DOWNLOAD/i;
const BOOT_TEXT = /boot:0x[0-9a-f]+ \(|entry 0x|I \(\d+\)/i;

/** Listens, after a reset, for what the ROM says that it does. @returns undefined when it says nothing */
export function watchBoot(
  link: SerialLink,
  withinMs: number,
): Promise<"app" | "download" | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const finish = (result: "app" | "download" | undefined): void => {
      clearTimeout(timer);
      stop();
      resolve(result);
    };
    const timer = setTimeout(() => finish(undefined), withinMs);
    const stop = link.onData((bytes) => {
      text = (text + Buffer.from(bytes).toString("latin1")).slice(-4096);
      if (DOWNLOAD_TEXT.test(text)) finish("download");
      else if (BOOT_TEXT.test(text)) finish("app");
    });
  });
}
