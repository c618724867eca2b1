import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startFirmware } from "../../cli/lab/board/firmware-process.js";
import { openFlashChip } from "../../cli/lab/loader/flash-chip.js";
import { PARTITION_TABLE_OFFSET } from "../../codegen/partitions.js";
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
// The build folder keeps the image without the right to execute it.
const program = join(dir, "prov_firmware");
copyFileSync(join(build, "prov_firmware.elf"), program);
chmodSync(program, 0o700);
const flash = openFlashChip(flashPath);
flash.write(PARTITION_TABLE_OFFSET, readFileSync(join(build, "partition-table.bin")));
flash.close();
const radio = await startRadio(radioSocket);
const softAp = mirrorSoftAp(airDir);

let powerOff = async (): Promise<void> => undefined;
process.once("SIGTERM", async () => {
  await powerOff();
  await radio.close();
  await softAp.close();
  process.exit(0);
});
for (let resetReason: "poweron" | "sw" = "poweron"; ; resetReason = "sw") {
  const firmware = await startFirmware({
    program,
    flashPath,
    airDir,
    chip: "esp32c3",
    mac: "7cdfa1a1b2c2",
    clock: "unset",
    resetReason,
    environment: { PROV_HOST_RADIO: radioSocket },
    onLine: (line) => process.stdout.write(`${line}\n`),
    onDiagnostic: (line) => process.stdout.write(`! ${line}\n`),
  });
  powerOff = firmware.powerOff;
  const exit = await firmware.exited;
  process.stdout.write(`board: ${exit.kind}\n`);
  if (exit.kind !== "restart") break;
}
