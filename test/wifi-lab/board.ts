import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startFirmware } from "../../cli/lab/firmware-process.js";
import { openFlashChip } from "../../cli/lab/flash-chip.js";
import { PARTITION_TABLE_OFFSET } from "../../cli/serial/host-image.js";
import { startRadio } from "./radio.js";
import { mirrorSoftAp } from "./softap.js";

/**
 * Run in the VM, in the board's network namespace: the real firmware (its host build) on a fresh
 * flash chip, with real radios. `board.js DIR BUILD`: DIR is its own folder, BUILD holds the image.
 */
const [dir = "", build = ""] = process.argv.slice(2);
const airDir = join(dir, "air");
const radioSocket = join(dir, "radio.sock");
const flashPath = join(dir, "flash.bin");

mkdirSync(join(airDir, "aps"), { recursive: true });
writeFileSync(join(airDir, "air.json"), JSON.stringify({ networks: [] }));
const flash = openFlashChip(flashPath);
flash.write(PARTITION_TABLE_OFFSET, readFileSync(join(build, "partition-table.bin")));
flash.close();
await startRadio(radioSocket);
mirrorSoftAp(airDir);

for (let resetReason: "poweron" | "sw" | "panic" = "poweron"; ; ) {
  const firmware = await startFirmware({
    program: join(build, "prov_firmware.elf"),
    flashPath,
    airDir,
    mac: "7cdfa1a1b2c2",
    clock: "unset",
    resetReason,
    environment: { PROV_HOST_RADIO: radioSocket },
    onLine: (line) => process.stdout.write(`${line}\n`),
    onDiagnostic: (line) => process.stdout.write(`! ${line}\n`),
  });
  process.once("SIGTERM", () => {
    firmware.powerOff().finally(() => process.exit(0));
  });
  const exit = await firmware.exited;
  process.stdout.write(`board: ${exit.kind}\n`);
  resetReason = exit.kind === "restart" ? "sw" : "panic";
}
