import type { Chip } from "../../codegen/chips.js";
import { ProvError } from "../errors.js";
import { optional } from "../optional.js";
import {
  blocksOf,
  checkBounds,
  checkChip,
  joinRuns,
  loadRegions,
  md5Of,
  type Region,
} from "./flash-regions.js";
import { eraseChip, writeRun } from "./flash-write.js";
import type { FlasherArgs } from "./flasher-args.js";
import type { SerialLink, UsbIdentity } from "./link.js";
import { DEFAULT_FLASH_BAUD } from "./link.js";
import { asFlashError, flashMd5 } from "./loader-commands.js";
import { leaveLoader } from "./loader-leave.js";
import { refuseHardened } from "./loader-security.js";
import { type LoaderSession, openSession } from "./loader-session.js";
import { openPort } from "./open-port.js";
import { identifyPort } from "./ports.js";
import { reopenPort } from "./reopen.js";

export type FlashStage = "connect" | "erase" | "compare" | "write" | "verify" | "reset";

export interface FlashProgress {
  readonly stage: FlashStage;
  /** Bytes of all regions; both 0 where a stage has no measure. */
  readonly done: number;
  readonly total: number;
  /** The file that is worked on. */
  readonly region?: string;
}

export interface FlashRequest {
  /** A path, `socket://…` or `rfc2217://…`. */
  readonly port: string;
  readonly usb?: UsbIdentity;
  readonly flasherArgs: FlasherArgs;
  /** The manifest's chip; undefined for what the build says. */
  readonly target?: Chip;
  /** Default 460800. */
  readonly baud?: number;
  /** Write everything, even what is in flash already. */
  readonly full?: boolean;
  /** Erase the whole chip first, NVS included. */
  readonly erase?: boolean;
  /** What must be in flash already, or nothing is written. */
  readonly precondition?: { readonly offset: number; readonly data: Buffer; refusal(): ProvError };
  readonly onProgress?: (progress: FlashProgress) => void;
  /** Something that is worth a line, such as a lower baud rate. */
  readonly onNote?: (text: string) => void;
  /** Where a device is after it has gone and come back; default: looked up by its serial number. */
  readonly findPort?: (usb: UsbIdentity, previousPath: string) => Promise<string | undefined>;
  readonly signal?: AbortSignal;
}

export interface RegionReport {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Bytes written. */
  readonly written: number;
  /** Bytes that were in flash already. */
  readonly skipped: number;
}

/** How long a chip's own USB port takes to come back after a reset, at most. */
const REENUMERATION_MS = 5_000;
/** A region that does not verify is compared and written once more. */
const REGION_ATTEMPTS = 2;

export type FlashReport = Awaited<ReturnType<typeof flashDevice>>;

/**
 * Writes an image to a board, verifies every region by MD5 and starts it. The port is closed in any
 * case. Interrupted, the chip stays in its loader, where the same command finds it again.
 * @throws ProvError port_*, chip_silent, chip_mismatch, board_hardened, image_*, flash_rejected,
 *   flash_mismatch, interrupted
 */
export async function flashDevice(request: FlashRequest) {
  const startedAt = performance.now();
  const regions = loadRegions(request.flasherArgs);
  const { port, signal } = request;
  const usb = request.usb ?? (await identifyPort(port));
  const opening = { usb, ...optional({ signal }) };
  let link = await openPort(port, opening);
  try {
    const session = await connect(link, regions, request).catch(async (error: unknown) => {
      if (!link.lost() || usb.serialNumber === undefined || signal?.aborted) throw error;
      // The reset made the chip's USB port vanish; it comes back, perhaps under another name.
      await link.close();
      const find = optional({ find: request.findPort });
      link = await reopenPort({ spec: port, withinMs: REENUMERATION_MS, ...opening, ...find });
      return connect(link, regions, { ...request, isInLoader: true });
    });
    const result = await flashLink(session, link, regions, request);
    return { ...result, port: link.spec, ms: Math.round(performance.now() - startedAt) };
  } catch (error) {
    throw signal?.aborted ? interrupted(port, link, error) : error;
  } finally {
    await link.close();
  }
}

function connect(
  link: SerialLink,
  regions: readonly Region[],
  request: FlashRequest & { isInLoader?: boolean },
): Promise<LoaderSession> {
  const { flasherArgs: args, target, signal, onNote, isInLoader } = request;
  request.onProgress?.({ stage: "connect", done: 0, total: 0 });
  return openSession({
    link,
    baud: request.baud ?? DEFAULT_FLASH_BAUD,
    stub: args.stub,
    isInLoader: isInLoader ?? false,
    checkChip: (found, protection) => {
      checkChip(found, { target, args, regions });
      refuseHardened(protection, { chip: found, port: link.spec, args });
    },
    ...optional({ signal, onNote }),
  });
}

async function flashLink(
  session: LoaderSession,
  link: SerialLink,
  regions: readonly Region[],
  request: FlashRequest,
) {
  const tell = request.onProgress ?? (() => {});
  try {
    checkBounds(regions, session.flashBytes);
    await checkPrecondition(session, request);
    if (request.erase) {
      tell({ stage: "erase", done: 0, total: 0 });
      await eraseChip(session.loader, session.flashBytes).catch((error: unknown) => {
        throw asFlashError(error, "erasing");
      });
    }
    const writeStartedAt = performance.now();
    const { reports, sent } = await writeRegions(session, regions, request, tell);
    const writeMs = Math.round(performance.now() - writeStartedAt);
    tell({ stage: "reset", done: 0, total: 0 });
    await leaveLoader(session, link, request.onNote ?? (() => {}));
    return {
      chip: session.chip,
      /** `aa:bb:cc:dd:ee:ff` */
      mac: session.mac,
      baud: session.baud,
      regions: reports,
      /** Compressed bytes that went over the line. */
      sent,
      /** How long the writing itself took. */
      writeMs,
    };
  } finally {
    session.release();
  }
}

async function checkPrecondition(
  session: LoaderSession,
  { precondition }: FlashRequest,
): Promise<void> {
  if (!precondition) return;
  const holds = await isSame(session, precondition).catch((error: unknown) => {
    throw asFlashError(error, "reading the flash");
  });
  if (!holds) throw precondition.refusal();
}

async function writeRegions(
  session: LoaderSession,
  regions: readonly Region[],
  request: FlashRequest,
  tell: (progress: FlashProgress) => void,
): Promise<{ reports: RegionReport[]; sent: number }> {
  const total = regions.reduce((sum, { data }) => sum + data.length, 0);
  const reports: RegionReport[] = [];
  let done = 0;
  let sent = 0;
  for (const region of regions) {
    const at = (stage: FlashStage, within: number): void =>
      tell({ stage, done: done + within, total, region: region.name });
    // Blank flash needs no comparison.
    const isBlind = request.full === true || request.erase === true;
    const { written, sentBytes } = await writeRegion(session, region, isBlind, at).catch(
      (error: unknown) => {
        throw asFlashError(error, `writing ${region.name}`);
      },
    );
    sent += sentBytes;
    done += region.data.length;
    const { name, offset, data } = region;
    const skipped = Math.max(0, data.length - written);
    reports.push({ name, offset, size: data.length, written: data.length - skipped, skipped });
  }
  return { reports, sent };
}

async function writeRegion(
  session: LoaderSession,
  region: Region,
  isBlind: boolean,
  at: (stage: FlashStage, within: number) => void,
): Promise<{ written: number; sentBytes: number }> {
  const { loader } = session;
  const size = region.data.length;
  let written = 0;
  let sentBytes = 0;
  for (let attempt = 1; attempt <= REGION_ATTEMPTS; attempt++) {
    const isCompared = !isBlind || attempt > 1;
    if (isCompared) at("compare", 0);
    if (isCompared && (await isSame(session, region))) return { written, sentBytes };
    const blocks = isCompared ? await differingBlocks(session, region) : blocksOf(region);
    let before = size - blocks.reduce((sum, { data }) => sum + data.length, 0);
    for (const run of joinRuns(region, blocks)) {
      sentBytes += await writeRun(loader, run, (bytes) => at("write", before + bytes));
      before += run.data.length;
      written += run.data.length;
    }
    at("verify", size);
    if (await isSame(session, region)) return { written, sentBytes };
  }
  throw new ProvError(
    "flash_mismatch",
    `${region.name} reads back different from what was written`,
  );
}

async function isSame(
  { loader }: LoaderSession,
  { offset, data }: { offset: number; data: Buffer },
) {
  return (await flashMd5(loader, offset, data.length)) === md5Of(data);
}

async function differingBlocks(session: LoaderSession, region: Region) {
  const blocks = blocksOf(region);
  if (blocks.length === 1) return blocks;
  const differing: typeof blocks = [];
  for (const block of blocks) if (!(await isSame(session, block))) differing.push(block);
  // The whole differed: if no part does, the line lies, and everything is suspect.
  return differing.length > 0 ? differing : blocks;
}

function interrupted(port: string, link: SerialLink, cause: unknown): ProvError {
  const again = `Run the same command again for ${port}: it takes up where the flash differs.`;
  const byHand = "Hold BOOT and press RESET first, then run the same command again.";
  return new ProvError(
    "interrupted",
    "flashing was interrupted; the board will not boot before it is flashed again",
    {
      hint: link.canReset() ? again : byHand,
      cause,
    },
  );
}
