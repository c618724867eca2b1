import { SECTOR } from "../../../codegen/partitions.js";
import { checksumOf, OP } from "../../serial/loader-commands.js";
import type { ChipContext, LoaderProgram } from "./chip-context.js";
import { flashMd5, isInside } from "./chip-context.js";
import { createInflater, type Inflater } from "./inflate.js";
import {
  BLOCK_HEADER,
  formatReply,
  parseRequest,
  type Request,
  SECURE_DOWNLOAD_OPS,
  SYNC_REPLIES,
  sectorsAround,
  word,
} from "./protocol.js";

/*
 * The mask ROM's loader, with the manners of the true one (ESP32-C3, revision 3): only the first
 * status byte means anything, the second is the last error whenever it happened, two bytes of
 * rubbish follow, and the value field keeps what SYNC or READ_REG last put there.
 */

const ERROR = {
  message: 0x05,
  failed: 0x06,
  checksum: 0x07,
  range: 0x09,
  length: 0x0a,
  deflate: 0x0b,
};
const SYNC_VALUE = 0x2012_0707;
/** What the two reserved status bytes happen to hold. */
const RUBBISH = [0x3f, 0xfc] as const;
/** The ROM's block buffer: 0x800 works, 0x4000 does not. */
const MAX_BLOCK = 0x1800;
const SLOW_READ_BYTES = 64;

interface Download {
  readonly kind: "ram" | "flash" | "deflate";
  readonly blocks: number;
  readonly blockSize: number;
  readonly end: number;
  nextBlock: number;
  at: number;
  readonly inflater: Inflater | undefined;
}

type Outcome = { readonly error: number } | { readonly body?: Uint8Array };

const OK: Outcome = {};

/** Starts the ROM loader. */
export function createRomLoader(context: ChipContext): LoaderProgram {
  const { profile, flash, registers } = context;
  let value = 0;
  let lastError = 0;
  let lastOp = 0;
  let download: Download | undefined;

  const reply = (op: number, outcome: Outcome): void => {
    if ("error" in outcome) lastError = outcome.error;
    const body = "error" in outcome ? undefined : outcome.body;
    const status = ["error" in outcome ? 1 : 0, lastError, ...RUBBISH];
    const frame = formatReply(
      op,
      value,
      Buffer.concat([body ?? new Uint8Array(), Buffer.from(status)]),
    );
    const times = op === OP.sync ? SYNC_REPLIES : 1;
    for (let count = 0; count < times; count++) context.sendFrame(frame);
  };

  const begin = ({ data }: Request, kind: "flash" | "deflate"): Outcome => {
    const { size, blocks, blockSize, at: offset } = beginWords(data);
    if (data.length < profile.beginBytes || blockSize > MAX_BLOCK) return { error: ERROR.message };
    if (offset % SECTOR !== 0 || !isInside(context, offset, size)) return { error: ERROR.failed };
    const sectors = sectorsAround(offset, size);
    if (!isInside(context, sectors.start, sectors.length)) return { error: ERROR.failed };
    flash.erase(sectors.start, sectors.length);
    download?.inflater?.close();
    const inflater = kind === "deflate" ? createInflater() : undefined;
    const end = sectors.start + sectors.length;
    download = { kind, blocks, blockSize, end, nextBlock: 0, at: offset, inflater };
    return OK;
  };

  const beginRam = ({ data }: Request): Outcome => {
    if (data.length < 16) return { error: ERROR.message };
    const { size, blocks, blockSize, at } = beginWords(data);
    download?.inflater?.close();
    const end = at + size;
    download = { kind: "ram", blocks, blockSize, end, nextBlock: 0, at, inflater: undefined };
    return OK;
  };

  const takeBlock = async (request: Request, kind: Download["kind"]): Promise<Outcome> => {
    const { data } = request;
    const block = data.subarray(BLOCK_HEADER);
    const isExpected = download?.kind === kind && word(data, 1) === download.nextBlock;
    if (!download || !isExpected || download.nextBlock >= download.blocks)
      return { error: ERROR.message };
    if (data.length < BLOCK_HEADER || word(data, 0) !== block.length)
      return { error: ERROR.message };
    // The sequence moves on before the checksum is looked at: sending the block again cannot help.
    download.nextBlock += 1;
    if (checksumOf(block) !== (request.checksum & 0xff)) return { error: ERROR.checksum };
    return storeBlock(download, block);
  };

  const storeBlock = async (target: Download, block: Buffer): Promise<Outcome> => {
    let bytes: Uint8Array = block;
    if (target.inflater) {
      const inflated = await target.inflater.push(block).catch(() => undefined);
      if (!inflated) return { error: ERROR.deflate };
      bytes = inflated;
    }
    if (target.at + bytes.length > target.end) return { error: ERROR.failed };
    if (target.kind !== "ram") flash.write(target.at, bytes);
    target.at += bytes.length;
    return OK;
  };

  const endRam = ({ data }: Request): Outcome => {
    if (data.length < 8) return { error: ERROR.message };
    if (word(data, 0) === 0) setImmediate(() => context.runFromRam(word(data, 1)));
    return OK;
  };

  const readSlow = ({ data }: Request): Outcome => {
    const [offset, size] = [word(data, 0), word(data, 1)];
    if (size > SLOW_READ_BYTES) return { error: ERROR.length };
    if (!isInside(context, offset, SLOW_READ_BYTES)) return { error: ERROR.range };
    return { body: flash.read(offset, SLOW_READ_BYTES) };
  };

  const md5 = ({ data }: Request): Outcome => {
    const [offset, size] = [word(data, 0), word(data, 1)];
    if (data.length < 16) return { error: ERROR.message };
    if (!isInside(context, offset, size)) return { error: ERROR.range };
    return { body: Buffer.from(flashMd5(context, offset, size).toString("hex"), "latin1") };
  };

  const writeRegisters = ({ data }: Request): Outcome => {
    if (data.length < 16) return { error: ERROR.message };
    for (let at = 0; at + 16 <= data.length; at += 16) {
      registers.write(data.readUInt32LE(at), data.readUInt32LE(at + 4), data.readUInt32LE(at + 8));
    }
    return OK;
  };

  const readRegister = ({ data }: Request): Outcome => {
    if (data.length < 4) return { error: ERROR.message };
    value = registers.read(word(data, 0));
    return OK;
  };

  const commands: Readonly<Record<number, (request: Request) => Outcome | Promise<Outcome>>> = {
    [OP.sync]: () => {
      value = SYNC_VALUE;
      return OK;
    },
    [OP.readReg]: readRegister,
    [OP.writeReg]: writeRegisters,
    [OP.spiSetParams]: ({ data }) => (data.length < 24 ? { error: ERROR.message } : OK),
    [OP.spiAttach]: ({ data }) => (data.length < 4 ? { error: ERROR.message } : OK),
    [OP.changeBaud]: ({ data }) => {
      if (data.length < 8) return { error: ERROR.message };
      setImmediate(() => context.setBaud(word(data, 0)));
      return OK;
    },
    [OP.readFlashSlow]: readSlow,
    [OP.md5]: md5,
    [OP.memBegin]: beginRam,
    [OP.memData]: (request) => takeBlock(request, "ram"),
    [OP.memEnd]: endRam,
    [OP.flashBegin]: (request) => begin(request, "flash"),
    [OP.flashData]: (request) => takeBlock(request, "flash"),
    [OP.flashEnd]: ({ data }) => {
      if (word(data, 0) !== 0) setImmediate(() => context.bootApp());
      return OK;
    },
    [OP.deflBegin]: (request) => begin(request, "deflate"),
    [OP.deflData]: (request) => takeBlock(request, "deflate"),
    [OP.deflEnd]: () => OK,
    ...(profile.securityInfo
      ? { [OP.securityInfo]: () => securityInfo(profile.securityInfo) }
      : {}),
  };

  return {
    async handle(frame) {
      const request = parseRequest(frame);
      const isBarred = profile.isSecureDownload && !SECURE_DOWNLOAD_OPS.includes(request.op);
      const command = isBarred ? undefined : commands[request.op];
      // An unknown request is refused under the name of the one before it.
      if (request.direction !== 0 || !command) return reply(lastOp, { error: ERROR.message });
      lastOp = request.op;
      reply(request.op, await command(request));
    },
    stop() {
      download?.inflater?.close();
    },
  };
}

/** What each BEGIN says. */
function beginWords(data: Buffer) {
  const [size, blocks] = [word(data, 0), word(data, 1)];
  return { size, blocks, blockSize: word(data, 2), at: word(data, 3) };
}

function securityInfo(info: Uint8Array | undefined): Outcome {
  return info ? { body: info } : { error: ERROR.message };
}
