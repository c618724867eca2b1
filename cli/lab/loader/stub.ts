import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
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
  SYNC_REPLIES,
  sectorsAround,
  word,
} from "./protocol.js";

/*
 * The flasher stub that esptool and esptool-js upload. It acknowledges a block before it has written
 * it, so an error of the write comes as the answer to the *next* command, which is then not carried
 * out. Status is two bytes with the code in the first.
 */

const CODE = {
  ok: 0,
  length: 0xc0,
  checksum: 0xc1,
  unknown: 0xc3,
  spi: 0xc4,
  notInFlashMode: 0xc6,
  inflate: 0xc7,
  tooLittle: 0xc8,
  tooMuch: 0xc9,
};
const SYNC_BYTES = 36;
/** Longest frame that READ_FLASH sends. */
const MAX_READ_PACKET = 4096;

interface Session {
  remaining: number;
  at: number;
  /** Sectors below this address are erased. */
  erasedTo: number;
  readonly inflater: Inflater | undefined;
  /** Set by BEGIN(0, …), the prelude to leaving the stub. */
  readonly isEmpty: boolean;
}

interface Answer {
  readonly code: number;
  readonly value?: number;
  readonly body?: Uint8Array;
  /** Runs after the answer is sent; a code other than 0 goes to the next command. */
  readonly afterwards?: () => Promise<number> | number;
}

const DONE: Answer = { code: CODE.ok };

/** Starts the stub, which greets with OHAI. */
export function createStub(context: ChipContext): LoaderProgram {
  const { flash, registers } = context;
  let session: Session | undefined;
  let pendingCode = CODE.ok;
  let isReading: { acknowledge(frame: Uint8Array): void } | undefined;

  const begin = ({ data }: Request, isCompressed: boolean): Answer => {
    if (data.length !== 16 && data.length !== 20) return { code: CODE.length };
    const [size, at] = [word(data, 0), word(data, 3)];
    session?.inflater?.close();
    const inflater = isCompressed ? createInflater() : undefined;
    const sectors = sectorsAround(at, size);
    session = { remaining: size, at, erasedTo: sectors.start, inflater, isEmpty: size === 0 };
    return isInside(context, sectors.start, sectors.length) ? DONE : { code: CODE.spi };
  };

  const write = (target: Session, bytes: Uint8Array): number => {
    const end = target.at + bytes.length;
    if (!isInside(context, target.at, bytes.length)) return CODE.spi;
    if (end > target.erasedTo) {
      const upTo = Math.ceil(end / SECTOR) * SECTOR;
      flash.erase(target.erasedTo, upTo - target.erasedTo);
      target.erasedTo = upTo;
    }
    flash.write(target.at, bytes);
    target.at = end;
    target.remaining -= bytes.length;
    return CODE.ok;
  };

  const takeBlock = (request: Request, isCompressed: boolean): Answer => {
    const { data } = request;
    if (data.length < BLOCK_HEADER) return { code: CODE.tooLittle };
    const target = session;
    if (!target) return { code: CODE.notInFlashMode };
    const block = Buffer.from(data.subarray(BLOCK_HEADER));
    if (word(data, 0) !== block.length) return { code: CODE.tooMuch };
    if (checksumOf(block) !== request.checksum) return { code: CODE.checksum };
    if (!isCompressed) {
      return {
        code: CODE.ok,
        afterwards: () => write(target, block.subarray(0, Math.max(0, target.remaining))),
      };
    }
    return { code: CODE.ok, afterwards: () => inflateAndWrite(target, block) };
  };

  const inflateAndWrite = async (target: Session, block: Uint8Array): Promise<number> => {
    if (!target.inflater) return CODE.inflate;
    const bytes = await target.inflater.push(block).catch(() => undefined);
    return bytes ? write(target, bytes) : CODE.inflate;
  };

  const end = ({ data }: Request): Answer => {
    if (data.length !== 4) return { code: CODE.length };
    if (!session) return { code: CODE.notInFlashMode };
    if (session.remaining !== 0) return { code: CODE.length };
    const leaves = session.isEmpty && word(data, 0) === 0;
    session.inflater?.close();
    session = undefined;
    return leaves ? { code: CODE.ok, afterwards: () => leaveForRom() } : DONE;
  };

  const leaveForRom = (): number => {
    context.enterRom();
    return CODE.ok;
  };

  const eraseRegion = ({ data }: Request): Answer => {
    const [offset, size] = [word(data, 0), word(data, 1)];
    if (data.length !== 8 || offset % SECTOR !== 0 || size % SECTOR !== 0)
      return { code: CODE.length };
    if (!isInside(context, offset, size)) return { code: CODE.spi };
    flash.erase(offset, size);
    return DONE;
  };

  const md5 = ({ data }: Request): Answer => {
    if (data.length !== 16) return { code: CODE.length };
    const [offset, size] = [word(data, 0), word(data, 1)];
    if (!isInside(context, offset, size)) return { code: CODE.spi };
    return { code: CODE.ok, body: flashMd5(context, offset, size) };
  };

  const readFlash = ({ data }: Request): Answer => {
    if (data.length !== 16) return { code: CODE.length };
    const [offset, size, packet] = [word(data, 0), word(data, 1), word(data, 2)];
    return { code: CODE.ok, afterwards: () => startReading(offset, size, packet) };
  };

  /** One packet at a time: the host acknowledges each with the count of bytes it has. */
  const startReading = (offset: number, size: number, packet: number): number => {
    if (packet === 0 || packet > MAX_READ_PACKET) return CODE.length;
    if (!isInside(context, offset, size)) return CODE.spi;
    let sent = 0;
    const sendNext = (): void => {
      const length = Math.min(packet, size - sent);
      context.sendFrame(flash.read(offset + sent, length));
      sent += length;
    };
    const finish = (): void => {
      isReading = undefined;
      context.sendFrame(createHash("md5").update(flash.read(offset, sent)).digest());
    };
    isReading = {
      acknowledge(frame) {
        const isCount = frame.length === 4;
        const got = isCount ? Buffer.from(frame).readUInt32LE(0) : 0;
        if (!isCount || got >= size) finish();
        else if (sent < size) sendNext();
      },
    };
    if (size === 0) finish();
    else sendNext();
    return CODE.ok;
  };

  const commands: Readonly<Record<number, (request: Request) => Answer>> = {
    [OP.sync]: ({ data }) => (data.length === SYNC_BYTES ? DONE : { code: CODE.length }),
    [OP.readReg]: ({ data }) =>
      data.length === 4
        ? { code: CODE.ok, value: registers.read(word(data, 0)) }
        : { code: CODE.length },
    [OP.writeReg]: ({ data }) => {
      if (data.length === 0 || data.length % 16 !== 0) return { code: CODE.tooLittle };
      for (let at = 0; at < data.length; at += 16) {
        registers.write(
          data.readUInt32LE(at),
          data.readUInt32LE(at + 4),
          data.readUInt32LE(at + 8),
        );
      }
      return DONE;
    },
    [OP.spiAttach]: ({ data }) => (data.length === 4 ? DONE : { code: CODE.length }),
    [OP.spiSetParams]: ({ data }) => (data.length === 24 ? DONE : { code: CODE.length }),
    [OP.changeBaud]: ({ data }) =>
      data.length === 8
        ? {
            code: CODE.ok,
            afterwards: () => {
              context.setBaud(word(data, 0));
              return CODE.ok;
            },
          }
        : { code: CODE.length },
    [OP.securityInfo]: () =>
      context.profile.securityInfo
        ? { code: CODE.ok, body: context.profile.securityInfo }
        : { code: 0xff },
    [OP.flashBegin]: (request) => begin(request, false),
    [OP.flashData]: (request) => takeBlock(request, false),
    [OP.flashEnd]: end,
    [OP.deflBegin]: (request) => begin(request, true),
    [OP.deflData]: (request) => takeBlock(request, true),
    [OP.deflEnd]: end,
    [OP.md5]: md5,
    [OP.readFlash]: readFlash,
    [OP.eraseFlash]: () => {
      flash.erase(0, flash.size);
      return DONE;
    },
    [OP.eraseRegion]: eraseRegion,
  };

  const answer = (op: number, { code, value = 0, body = new Uint8Array() }: Answer): void => {
    const frame = formatReply(
      op,
      value,
      Buffer.concat([code === CODE.ok ? body : new Uint8Array(), Buffer.from([code, 0])]),
    );
    const times = op === OP.sync && code === CODE.ok ? SYNC_REPLIES : 1;
    for (let count = 0; count < times; count++) context.sendFrame(frame);
  };

  context.sendFrame(Buffer.from("OHAI"));
  return {
    async handle(frame) {
      if (isReading) return isReading.acknowledge(frame);
      const request = parseRequest(frame);
      if (request.direction !== 0) return answer(request.op, { code: CODE.unknown });
      if (request.length !== request.data.length) return answer(request.op, { code: CODE.length });
      if (pendingCode !== CODE.ok) {
        const code = pendingCode;
        pendingCode = CODE.ok;
        return answer(request.op, { code });
      }
      if (request.op === OP.runUserCode) return context.bootApp();
      const result = commands[request.op]?.(request) ?? { code: CODE.unknown };
      answer(request.op, result);
      if (!result.afterwards) return;
      await nextTurn();
      pendingCode = await result.afterwards();
    },
    stop() {
      session?.inflater?.close();
    },
  };
}
