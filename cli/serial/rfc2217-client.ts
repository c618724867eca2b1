import { ProvError } from "../errors.js";
import {
  ANSWER,
  COM_PORT,
  DO,
  DONT,
  DTR_OFF,
  DTR_ON,
  IAC,
  RTS_OFF,
  RTS_ON,
  SB,
  SE,
  SET_BAUDRATE,
  SET_CONTROL,
  SET_DATASIZE,
  SET_PARITY,
  SET_STOPSIZE,
  TELNET_OPTIONS,
  WILL,
  WONT,
} from "./rfc2217.js";
import { createTelnetParser, escapeIac } from "./telnet.js";

/* The client's side of RFC 2217 (COM port control over Telnet, RFC 854). */

const ANSWER_MS = 3_000;

export interface ComPortClient {
  /** Negotiates and sets 8N1. @throws ProvError port_not_found when the other side is no such server */
  start(baud: number): Promise<void>;
  feed(bytes: Uint8Array): void;
  setBaud(baud: number): Promise<void>;
  setDtr(on: boolean): Promise<void>;
  setRts(on: boolean): Promise<void>;
  escape(bytes: Uint8Array): Uint8Array;
  /** Ends every wait: the connection is gone. */
  stop(): void;
}

export function createComPortClient(port: {
  send(bytes: Uint8Array): Promise<void>;
  onData(bytes: Uint8Array): void;
}): ComPortClient {
  const waiting = new Map<number, () => void>();
  const announced = new Set<number>();

  const order = async (command: number, value: readonly number[]): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<void>((resolve, reject) => {
      waiting.set(command + ANSWER, resolve);
      timer = setTimeout(() => reject(noServer()), ANSWER_MS);
    });
    const escaped = escapeIac(Uint8Array.from(value));
    await port.send(Uint8Array.from([IAC, SB, COM_PORT, command, ...escaped, IAC, SE]));
    await answered.finally(() => {
      clearTimeout(timer);
      waiting.delete(command + ANSWER);
    });
  };

  const negotiate = (verb: number, option: number): void => {
    const isWanted = TELNET_OPTIONS.includes(option);
    const answer = verb === WILL ? (isWanted ? DO : DONT) : isWanted ? WILL : WONT;
    if (verb === WONT || verb === DONT) return;
    const key = answer * 256 + option;
    if (announced.has(key)) return; // answering an answer would never end
    announced.add(key);
    void port.send(Uint8Array.from([IAC, answer, option])).catch(() => {});
  };

  const parser = createTelnetParser({
    onData: port.onData,
    onOption: negotiate,
    onSubnegotiation: ([option, command]) => {
      if (option === COM_PORT && command !== undefined) waiting.get(command)?.();
    },
  });

  return {
    async start(baud) {
      for (const option of TELNET_OPTIONS) {
        announced.add(WILL * 256 + option).add(DO * 256 + option);
        await port.send(Uint8Array.from([IAC, WILL, option, IAC, DO, option]));
      }
      await order(SET_BAUDRATE, bigEndian(baud));
      await order(SET_DATASIZE, [8]);
      await order(SET_PARITY, [1]);
      await order(SET_STOPSIZE, [1]);
    },
    feed: parser,
    setBaud: (baud) => order(SET_BAUDRATE, bigEndian(baud)),
    setDtr: (on) => order(SET_CONTROL, [on ? DTR_ON : DTR_OFF]),
    setRts: (on) => order(SET_CONTROL, [on ? RTS_ON : RTS_OFF]),
    escape: escapeIac,
    stop() {
      for (const resolve of waiting.values()) resolve();
    },
  };
}

function bigEndian(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

function noServer(): ProvError {
  return new ProvError("port_not_found", "the other side does not speak RFC 2217", {
    hint: "Use socket:// for a bare TCP port, or start esp_rfc2217_server there.",
  });
}
