import { ESPLoader } from "esptool-js/lib/esploader.js";
import { UnexpectedChipIdError, UnexpectedChipMagicError } from "esptool-js/lib/types/error.js";
import { CHIPS, type Chip, chipByName } from "../../codegen/chips.js";
import { ProvError } from "../errors.js";
import { pause } from "../time/wait.js";
import { DEFAULT_BAUD, type SerialLink } from "./link.js";
import { OP, sendCommand, words } from "./loader-commands.js";
import { type ChipProtection, readProtection } from "./loader-security.js";
import { isUsbSerialJtag, type ResetKind, resetIntoLoader } from "./reset.js";
import { uploadStub } from "./stub-upload.js";
import { LinkTransport } from "./transport.js";

/** A conversation with a chip's loader. */
export interface LoaderSession {
  readonly loader: ESPLoader;
  readonly chip: Chip;
  /** `aa:bb:cc:dd:ee:ff` */
  readonly mac: string;
  readonly flashBytes: number;
  /** The rate that was reached. */
  readonly baud: number;
  /** Stops listening; the link stays open, the chip stays in the loader. */
  release(): void;
}

export interface SessionRequest {
  readonly link: SerialLink;
  /** The rate to write at; a lower one is taken when it does not work. */
  readonly baud: number;
  /** False: the ROM loader does all the work (slower). */
  readonly stub: boolean;
  /** The chip is in its loader already (its reset made the port vanish): look there first. */
  readonly isInLoader?: boolean;
  readonly signal?: AbortSignal;
  readonly onNote?: (text: string) => void;
  /** Runs when the chip is known, before anything is uploaded. */
  readonly checkChip?: (chip: Chip, protection: ChipProtection) => void;
}

const HOLD_MS = 50;
/** For boards with a large capacitor at EN. */
const LONG_HOLD_MS = 550;
/** As patient as esptool, which tries seven times: an answer in time is late where the host has no time. */
const ROUNDS = 2;
/** As many as esptool-js makes where it connects: it waits 100 ms for an answer. */
const SYNC_TRIES = 5;
const LOWER_BAUDS = [460_800, 230_400, DEFAULT_BAUD];
const BAUD_SETTLE_MS = 20;
const PROBE_MS = 300;
const MAGIC_REGISTER = 0x4000_1000;
/** What is assumed when the flash chip does not tell its size. */
const DEFAULT_FLASH_BYTES = 4 * 1024 * 1024;

/**
 * Resets the chip into its loader, learns what it is, uploads the stub and raises the baud rate.
 * @throws ProvError chip_silent, chip_mismatch, port_lost, what `checkChip` throws; or the abort reason
 */
export async function openSession(request: SessionRequest): Promise<LoaderSession> {
  const bauds = [request.baud, ...LOWER_BAUDS.filter((lower) => lower < request.baud)];
  for (const baud of bauds) {
    const session = await tryBaud(request, baud);
    if (session) return session;
    request.onNote?.(`${baud} baud does not work on this port; trying a lower rate`);
  }
  throw silent(request.link);
}

/** @returns undefined when the chip does not answer at this rate */
async function tryBaud(request: SessionRequest, baud: number): Promise<LoaderSession | undefined> {
  const transport = new LinkTransport(request.link, request.signal);
  try {
    const loader = await connect(request, transport);
    const chip = identify(loader);
    request.checkChip?.(chip, await readProtection(loader, chip));
    const mac = await loader.chip.readMac(loader);
    const isHere = () => !request.signal?.aborted && !request.link.lost();
    if (await isStubRunning(loader, isHere)) loader.IS_STUB = true;
    else if (request.stub) await uploadStub(loader, chip);
    loader.FLASH_WRITE_SIZE = await blockSize(loader);
    if (!(await changeBaud(loader, transport, baud))) {
      transport.release();
      await request.link.setBaud(DEFAULT_BAUD);
      return undefined;
    }
    const flashBytes = await attachFlash(loader);
    return { loader, chip, mac, flashBytes, baud, release: () => transport.release() };
  } catch (error) {
    transport.release();
    request.signal?.throwIfAborted();
    throw request.link.lost() ?? (error instanceof ProvError ? error : silent(request.link, error));
  }
}

async function connect(request: SessionRequest, transport: LinkTransport): Promise<ESPLoader> {
  const { link, signal } = request;
  let lastError: unknown;
  const resets = attempts(link);
  const tries = Array.from({ length: ROUNDS }, () => resets).flat();
  for (const attempt of request.isInLoader ? [undefined, ...tries] : tries) {
    const quiet = { clean() {}, write() {}, writeLine() {} };
    const loader = new ESPLoader({ transport, baudrate: DEFAULT_BAUD, terminal: quiet });
    try {
      if (attempt) await resetIntoLoader(link, attempt.kind, attempt.holdMs);
      await loader.connect("no_reset", 1, true);
      return loader;
    } catch (error) {
      signal?.throwIfAborted();
      const lost = link.lost();
      if (lost) throw lost;
      if (error instanceof UnexpectedChipIdError || error instanceof UnexpectedChipMagicError) {
        throw new ProvError("chip_mismatch", `prov does not know this chip: ${error.message}`);
      }
      lastError = error;
    }
  }
  throw silent(link, lastError);
}

/** Which resets to try, in order; none where no modem lines reach the board. */
function attempts(link: SerialLink): readonly ({ kind: ResetKind; holdMs: number } | undefined)[] {
  if (!link.canReset()) return [undefined, undefined];
  const usb = { kind: "usb", holdMs: 0 } as const;
  if (isUsbSerialJtag(link)) return [usb, usb, usb];
  const [uart, slow] = [HOLD_MS, LONG_HOLD_MS].map((holdMs) => ({ kind: "uart", holdMs }) as const);
  // A port without a USB identity (RFC 2217, a virtual board) may have either circuit behind it.
  return link.usb.vendorId === undefined ? [uart, usb, slow, usb] : [uart, slow, uart];
}

function identify(loader: ESPLoader): Chip {
  const chip = chipByName(loader.chip.CHIP_NAME);
  if (chip) return chip;
  throw new ProvError(
    "chip_mismatch",
    `this is an ${loader.chip.CHIP_NAME}, which prov cannot build for`,
    {
      hint: `prov knows ${Object.values(CHIPS)
        .map(({ label }) => label)
        .join(", ")}.`,
    },
  );
}

/** The stub answers SYNC with the value 0, the ROM with another one; either in time only where the host has time. */
export async function isStubRunning(
  loader: Pick<ESPLoader, "sync">,
  isWorthIt = (): boolean => true,
): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      const [value] = await loader.sync();
      return value === 0;
    } catch (error) {
      if (tries === SYNC_TRIES || !isWorthIt()) throw error;
    }
  }
}

/** A USB-OTG port takes smaller blocks than any other; the ROM takes 1 KiB. */
async function blockSize(loader: ESPLoader): Promise<number> {
  if (!loader.IS_STUB) return 0x400;
  const usbBlock = (loader.chip as { USB_RAM_BLOCK?: number }).USB_RAM_BLOCK;
  return usbBlock !== undefined && (await loader.usesUsbOtg()) ? usbBlock : 0x4000;
}

/** @returns false when the chip cannot be heard at the new rate */
async function changeBaud(
  loader: ESPLoader,
  transport: LinkTransport,
  baud: number,
): Promise<boolean> {
  if (baud === DEFAULT_BAUD) return true;
  const old = loader.IS_STUB ? DEFAULT_BAUD : 0;
  await sendCommand(loader, "change the baud rate", OP.changeBaud, words(baud, old));
  try {
    await transport.changeBaudrate(baud);
  } catch {
    return false; // the port's driver does not have this rate
  }
  await pause(BAUD_SETTLE_MS);
  transport.flushInput();
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await loader.readReg(MAGIC_REGISTER, PROBE_MS);
      return true;
    } catch (error) {
      if (error instanceof ProvError) throw error;
    }
  }
  return false;
}

/** @returns the flash chip's size in bytes */
async function attachFlash(loader: ESPLoader): Promise<number> {
  if (!loader.IS_STUB) await sendCommand(loader, "attach the flash", OP.spiAttach, words(0, 0));
  const id = (await loader.readFlashId()) >>> 0;
  const logSize = (id >>> 16) & 0xff;
  if ((id & 0xffffff) === 0xffffff || id === 0) {
    throw new ProvError("flash_rejected", "the flash chip does not answer", {
      hint: "Something on the board disturbs the flash pins, or the module is damaged.",
    });
  }
  const flashBytes = logSize >= 0x12 && logSize <= 0x1c ? 2 ** logSize : DEFAULT_FLASH_BYTES;
  // id, size, block, sector, page, status mask: the ROM and the stub assume less than they have.
  const params = words(0, flashBytes, 0x1_0000, 0x1000, 0x100, 0xffff);
  await sendCommand(loader, "set the flash parameters", OP.spiSetParams, params);
  return flashBytes;
}

function silent(link: SerialLink, cause?: unknown): ProvError {
  const options = cause === undefined ? {} : { cause };
  if (link.canReset())
    return new ProvError("chip_silent", `no chip answers on ${link.spec}`, options);
  return new ProvError("chip_silent", `no loader answers on ${link.spec}`, {
    ...options,
    hint: "This port has no reset lines: hold BOOT, press RESET, then run the same command again.",
  });
}
