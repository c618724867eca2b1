import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { packEspImage, parseEspImage } from "../../cli/serial/esp-image.js";
import type { FlasherArgs } from "../../cli/serial/flasher-args.js";
import { findEsptool } from "../support/esptool.js";
import {
  holdsImage,
  makeImage,
  startVirtualSerial,
  type VirtualSerial,
} from "../support/virtual-serial.js";
import { median } from "./median.js";

/** All times are wall-clock milliseconds; totals include the process's start. */
export interface FlashFigures {
  readonly bytes: number;
  /** Medians over a line without a speed limit. */
  readonly provTotalMs: number;
  /** undefined where esptool cannot be installed; `esptoolMissing` says why. */
  readonly esptoolTotalMs: number | undefined;
  readonly esptoolMissing: string | undefined;
  readonly throttled: readonly ThrottledFigures[];
  /** After a change of one line, at the last of the throttled rates. */
  readonly changed: { readonly fullMs: number; readonly againMs: number };
}

export interface ThrottledFigures {
  readonly baud: number;
  /** What the compressed bytes take on such a line. */
  readonly linkMs: number;
  /** From the first comparison to the last verification. */
  readonly writeMs: number;
  readonly totalMs: number;
}

/** Writing may take so much longer than the line alone. */
export const LINK_FACTOR_LIMIT = 1.05;
/** A flash after a change of one line, as a part of a full one. */
export const CHANGED_FACTOR_LIMIT = 0.25;

const SIZE = 1024 * 1024;
const BAUDS = [460_800, 921_600] as const;
const reportSchema = z.object({ sent: z.number(), writeMs: z.number(), ms: z.number() });

/** What went over its limit; empty when all is well. */
export function judgeFlash(figures: FlashFigures): string[] {
  const { provTotalMs, esptoolTotalMs, throttled, changed } = figures;
  const problems: string[] = [];
  if (esptoolTotalMs !== undefined && provTotalMs > esptoolTotalMs) {
    problems.push(`prov takes ${provTotalMs} ms, esptool ${esptoolTotalMs} ms`);
  }
  for (const { baud, linkMs, writeMs } of throttled) {
    const factor = writeMs / linkMs;
    if (factor > LINK_FACTOR_LIMIT)
      problems.push(`at ${baud} baud writing takes ${factor.toFixed(3)} × the line's time`);
  }
  const part = changed.againMs / changed.fullMs;
  if (part > CHANGED_FACTOR_LIMIT)
    problems.push(`a changed line takes ${part.toFixed(2)} of a full flash`);
  return problems;
}

/** Flashes 1 MiB, three quarters of it noise, to the virtual board: with prov and with Python esptool. */
export async function benchFlash(runs = 3): Promise<FlashFigures> {
  const esptool = findEsptool();
  const prov: number[] = [];
  const peer: number[] = [];
  await onBoard(false, async (board, tty) => {
    const args = makeImage(board.dir, { size: SIZE });
    // esptool cannot reset a board behind a pty, so prov may not either.
    rmSync(`${tty}.ctl`);
    for (let run = 0; run < runs; run++) {
      board.flash.erase(0, board.flash.size);
      await enterLoader(board);
      prov.push((await flashOnce(tty, args)).totalMs);
      if (!holdsImage(board.flash, args)) throw new Error("prov wrote something else");
      if ("missing" in esptool) continue;
      board.flash.erase(0, board.flash.size);
      await enterLoader(board);
      const files = args.files.flatMap(({ offset, file }) => [`${offset}`, file]);
      const begin = performance.now();
      const where = [
        "--port",
        tty,
        "--chip",
        "esp32c3",
        "--before",
        "no-reset",
        "--baud",
        "460800",
      ];
      const { exitCode, output } = await esptool.run(...where, "write-flash", ...files);
      peer.push(performance.now() - begin);
      if (exitCode !== 0 || !holdsImage(board.flash, args)) throw new Error(`esptool: ${output}`);
    }
  });
  const throttled: ThrottledFigures[] = [];
  let changed = { fullMs: 0, againMs: 0 };
  for (const baud of BAUDS) {
    await onBoard(true, async (board, tty) => {
      const args = makeImage(board.dir, { size: SIZE });
      const full = await flashOnce(tty, args, baud);
      const linkMs = Math.round((full.sent * 10_000) / baud);
      throttled.push({ baud, linkMs, writeMs: full.writeMs, totalMs: full.totalMs });
      changeOneLine(args);
      const again = await flashOnce(tty, args, baud);
      if (!holdsImage(board.flash, args)) throw new Error("the change did not arrive");
      changed = { fullMs: full.totalMs, againMs: again.totalMs };
    });
  }
  return {
    bytes: SIZE,
    provTotalMs: Math.round(median(prov)),
    esptoolTotalMs: "missing" in esptool ? undefined : Math.round(median(peer)),
    esptoolMissing: "missing" in esptool ? esptool.missing : undefined,
    throttled,
    changed,
  };
}

async function onBoard(
  throttle: boolean,
  work: (board: VirtualSerial, tty: string) => Promise<void>,
): Promise<void> {
  const board = await startVirtualSerial({ throttle });
  try {
    const tty = path.join(board.dir, "tty");
    await board.front.openPty(tty);
    await work(board, tty);
  } finally {
    await board.close();
  }
}

async function flashOnce(tty: string, args: FlasherArgs, baud?: number) {
  const script = fileURLToPath(new URL("./flash-once.js", import.meta.url));
  const begin = performance.now();
  const extra = baud === undefined ? [] : [`${baud}`];
  const child = spawn(process.execPath, [script, tty, args.path, ...extra], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => {
    output += bytes.toString("utf8");
  });
  const [code] = await once(child, "close");
  const totalMs = Math.round(performance.now() - begin);
  if (code !== 0) throw new Error(`flashing ended with ${code}`);
  return { ...reportSchema.parse(JSON.parse(output)), totalMs };
}

/** A string in the middle of the application, and with it the checksum and the hash at its end. */
function changeOneLine(args: FlasherArgs): void {
  const app = args.files.at(-1)?.file;
  if (app === undefined) throw new Error("no application");
  const { chipId, entry, segments } = parseEspImage(readFileSync(app));
  const [segment] = segments;
  if (!segment) throw new Error("no segment");
  Buffer.from(segment.data.buffer, segment.data.byteOffset).write("one line changed", SIZE / 2);
  writeFileSync(app, packEspImage({ chipId, entry, segments }));
}

/** BOOT and RESET by hand. */
async function enterLoader({ front }: VirtualSerial): Promise<void> {
  front.reset({ download: true });
  while (front.mode() !== "rom") await new Promise(setImmediate);
}
