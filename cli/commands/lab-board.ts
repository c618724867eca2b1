import type { CommandContext } from "../context.js";
import { ProvError } from "../errors.js";
import type { BuiltImage } from "../flow/build.js";
import type { Lab } from "../lab/lab-types.js";
import { asTask } from "../progress.js";

const BOOT_TIMEOUT_MS = 20_000;
const BOOTED = /state \w+ -> (AP_MODE|MQTT_CONNECTED|WIFI_CONNECTING)/;

/** Puts the image on the lab's board. */
export async function flashVirtualBoard(
  lab: Lab,
  image: BuiltImage,
  context: CommandContext,
): Promise<void> {
  await asTask(context.out, "flash", async () => {
    lab.board.flash.erase(0, lab.board.flash.size);
    lab.board.placeImage(image.flasherArgs);
  });
}

/** Switches the board on and waits until its state machine has settled. */
export async function bootVirtualBoard(lab: Lab, context: CommandContext): Promise<void> {
  await asTask(context.out, "boot", async () => {
    const timeout = AbortSignal.timeout(BOOT_TIMEOUT_MS);
    const booted = lab.board.log.waitFor((line) => BOOTED.test(line), {
      futureOnly: true,
      signal: AbortSignal.any([context.signal, timeout]),
    });
    try {
      await Promise.all([lab.board.powerOn(), booted]);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!timeout.aborted) throw error;
      throw new ProvError(
        "boot_timeout",
        `the board did not get to AP_MODE within ${BOOT_TIMEOUT_MS / 1000} s; last line: ${lab.board.log.recent(1)[0] ?? "none"}`,
        { cause: new Error(lab.board.log.recent(40).join("\n")) },
      );
    }
  });
}
