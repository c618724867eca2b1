import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ChipSecurity } from "../../cli/lab/loader/chip-profile.js";
import { flashDevice } from "../../cli/serial/flasher.js";
import type { LoaderChip } from "../../codegen/chips.js";
import { longer, WITH_ALL } from "../helpers/longer.js";
import { type Esptool, findEsptool } from "../support/esptool.js";
import { makeImage, startVirtualSerial, type VirtualSerial } from "../support/virtual-serial.js";

/*
 * The client that nobody here wrote: Espressif's Python esptool 5 against the virtual board. Over
 * RFC 2217 it resets the board itself; a pty has no modem lines for it, so there the test presses
 * BOOT and RESET.
 */

const found = findEsptool();
const missing = "missing" in found ? found.missing : undefined;
if (missing !== undefined) {
  process.stderr.write(`skipping the tests with Python esptool: ${missing}\n`);
}

const OFFSET = 0x1_0000;
const CHIP_LABELS = {
  esp32: "ESP32-D0WD-V3",
  esp32c3: "ESP32-C3 (QFN32)",
  esp32s3: "ESP32-S3 (QFN56)",
};
const TIMEOUT_MS = 240_000;

describe
  .skipIf(missing !== undefined)
  .concurrent("Python esptool 5", { timeout: longer(TIMEOUT_MS) }, () => {
    describe.each(["esp32", "esp32c3", "esp32s3"] as const)("%s", (chip) => {
      it.each(WITH_ALL || chip === "esp32c3" ? (["rfc2217", "pty"] as const) : (["pty"] as const))(
        "over %s: flash-id, write, verify, read, erase region and chip",
        (transport) => onBoard({ chip, transport }, allCommands),
      );

      it("writes with the ROM loader alone", () =>
        onBoard({ chip, transport: "pty" }, async ({ dir, flash, esptool }) => {
          const image = path.join(dir, "image.bin");
          writeFileSync(image, randomBytes(10_000));
          const output = await esptool("--no-stub", "write-flash", `${OFFSET}`, image);
          expect(output).toContain("Hash of data verified");
          expect(flash.read(OFFSET, 10_000).equals(readFileSync(image))).toBe(true);
        }));

      it("reads back what prov flash wrote", () =>
        onBoard({ chip, transport: "pty" }, async ({ dir, port, boots, esptool }) => {
          const flasherArgs = makeImage(dir, { chip, size: 80_000 });
          await flashDevice({ port, flasherArgs });
          expect(boots.at(-1)).toBe("app");
          for (const [index, { file, offset }] of flasherArgs.files.entries()) {
            const bytes = readFileSync(file);
            const copy = path.join(dir, `copy-${index}.bin`);
            await esptool("read-flash", `${offset}`, `${bytes.length}`, copy);
            expect(readFileSync(copy).equals(bytes)).toBe(true);
          }
          const app = flasherArgs.files.at(-1)?.file ?? "";
          const info = await tool().run("image-info", app);
          expect(info.output).toMatch(/Checksum: 0x[0-9a-f]+ \(valid\)/);
          expect(info.output).toMatch(/Validation hash: [0-9a-f]+ \(valid\)/);
        }));
    });

    it("finds the protections that the eFuses of a hardened chip tell of", () =>
      onBoard(
        {
          chip: "esp32c3",
          transport: "pty",
          security: { flashEncryption: true, secureBoot: true },
        },
        async ({ esptool }) => {
          const info = await esptool("get-security-info");
          expect(info).toMatch(/Secure Boot: Enabled/);
          expect(info).toMatch(/Flash Encryption: Enabled/);
        },
      ));

    it("gets what Secure Download Mode leaves it, and no more", () =>
      onBoard(
        { chip: "esp32s3", transport: "pty", security: { secureDownload: true } },
        async ({ dir, flash, esptool }) => {
          expect(await esptool("get-security-info")).toMatch(/Secure Download Mode/i);
          const image = path.join(dir, "image.bin");
          writeFileSync(image, randomBytes(5_000));
          await esptool("--no-stub", "write_flash", `${OFFSET}`, image);
          expect(flash.read(OFFSET, 5_000).equals(readFileSync(image))).toBe(true);
          const copy = path.join(dir, "copy.bin");
          await expect(esptool("--no-stub", "read-flash", "0", "64", copy)).rejects.toThrow(
            /Secure Download Mode/i,
          );
        },
      ));

    it("resets a board behind USB-Serial-JTAG", () =>
      onBoard(
        { chip: "esp32c3", circuit: "usb", transport: "rfc2217" },
        async ({ boots, esptool }) => {
          expect(await esptool("--before", "usb-reset", "flash-id")).toMatch(
            /Detected flash size:\s+4MB/,
          );
          expect(boots).toEqual(["app", "download", "app"]);
        },
      ));

    it("fails on a wrong MD5, as it would on a worn chip", () =>
      onBoard({ chip: "esp32c3", transport: "pty" }, async ({ dir, front, esptool }) => {
        const image = path.join(dir, "image.bin");
        writeFileSync(image, randomBytes(5_000));
        front.faults.wrongMd5 = true;
        await expect(esptool("write-flash", `${OFFSET}`, image)).rejects.toThrow(/MD5/);
        front.faults.wrongMd5 = false;
        await esptool("write-flash", `${OFFSET}`, image);
      }));
  });

interface EsptoolBoard extends VirtualSerial {
  readonly chip: LoaderChip;
  readonly transport: "rfc2217" | "pty";
  /** Runs esptool on the board and fails unless it succeeds. */
  esptool(...args: string[]): Promise<string>;
}

async function allCommands({
  chip,
  transport,
  dir,
  flash,
  boots,
  esptool,
}: EsptoolBoard): Promise<void> {
  const identity = await esptool("flash-id");
  expect(identity).toMatch(/Detected flash size:\s+4MB/);
  expect(identity).toContain(CHIP_LABELS[chip]);
  expect(identity).toContain("7c:df:a1:00:11:22");

  const image = path.join(dir, "image.bin");
  const bytes = Buffer.concat([randomBytes(9_000), Buffer.alloc(6_000, 7)]);
  writeFileSync(image, bytes);
  expect(await esptool("write-flash", `${OFFSET}`, image)).toContain("Hash of data verified");
  expect(flash.read(OFFSET, bytes.length).equals(bytes)).toBe(true);
  expect(await esptool("verify-flash", `${OFFSET}`, image)).toContain("Verification successful");

  const copy = path.join(dir, "copy.bin");
  await esptool("read-flash", `${OFFSET}`, `${bytes.length}`, copy);
  expect(readFileSync(copy).equals(bytes)).toBe(true);

  await esptool("erase-region", `${OFFSET}`, `${0x1000}`);
  expect(flash.read(OFFSET, 0x1000).equals(Buffer.alloc(0x1000, 0xff))).toBe(true);
  expect(flash.read(OFFSET + 0x1000, 0x1000).equals(bytes.subarray(0x1000, 0x2000))).toBe(true);

  await esptool("erase-flash");
  expect(flash.read(0, flash.size).equals(Buffer.alloc(flash.size, 0xff))).toBe(true);
  // Six commands, each with a reset on its way in and one on its way out.
  const resets = Array.from({ length: 6 }, () => ["download", "app"]).flat();
  if (transport === "rfc2217") expect(boots).toEqual(["app", ...resets]);
}

/** Runs `work` with a board that nobody else has. */
async function onBoard(
  options: {
    chip: LoaderChip;
    transport: "rfc2217" | "pty";
    circuit?: "usb";
    security?: ChipSecurity;
  },
  work: (board: EsptoolBoard) => Promise<void>,
): Promise<void> {
  const { chip, transport, circuit, security = {} } = options;
  const board = await startVirtualSerial({ chip, security, ...(circuit ? { circuit } : {}) });
  const tty = path.join(board.dir, "tty");
  try {
    if (transport === "pty") await board.front.openPty(tty);
    const where =
      transport === "pty" ? ["--port", tty, "--before", "no-reset"] : ["--port", board.port];
    const esptool = async (...args: string[]): Promise<string> => {
      if (transport === "pty") await pressBoot(board);
      // The plain client takes 18 s a command over RFC 2217; the test with USB pays that.
      const run = transport === "rfc2217" && !circuit ? tool().runQuickly : tool().run;
      const { exitCode, output } = await run("--chip", chip, ...where, ...args);
      if (exitCode !== 0) throw new Error(`esptool ${args.join(" ")}: ${output}`);
      return output;
    };
    await work({ ...board, chip, transport, esptool });
  } finally {
    await board.close();
  }
}

function tool(): Esptool {
  if ("missing" in found) throw new Error(found.missing);
  return found;
}

/** BOOT and RESET by hand; resolves when the ROM listens. */
async function pressBoot({ front }: VirtualSerial): Promise<void> {
  front.reset({ download: true });
  while (front.mode() !== "rom") await new Promise(setImmediate);
}
