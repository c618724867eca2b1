import { ProvError } from "../errors.js";
import {
  ANSWER,
  COM_PORT,
  DO,
  DONT,
  IAC,
  MAX_SUBNEGOTIATION,
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
    const escaped = value.flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte]));
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
    setDtr: (on) => order(SET_CONTROL, [on ? 8 : 9]),
    setRts: (on) => order(SET_CONTROL, [on ? 11 : 12]),
    escape: (bytes) =>
      bytes.includes(IAC)
        ? Uint8Array.from([...bytes].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])))
        : bytes,
    stop() {
      for (const resolve of waiting.values()) resolve();
    },
  };
}

/** Splits a Telnet stream into data, option negotiation and subnegotiations. */
function createTelnetParser(handlers: {
  onData(bytes: Uint8Array): void;
  onOption(verb: number, option: number): void;
  onSubnegotiation(bytes: readonly number[]): void;
}): (bytes: Uint8Array) => void {
  let state: "data" | "command" | "option" | "sub" | "sub-command" = "data";
  let verb = 0;
  let sub: number[] = [];
  let data: number[] = [];

  const command = (byte: number): void => {
    state = "data";
    if (byte === IAC) data.push(IAC);
    else if (byte === SB) {
      sub = [];
      state = "sub";
    } else if (byte >= WILL) {
      verb = byte;
      state = "option";
    }
  };
  const step = (byte: number): void => {
    if (state === "data") {
      if (byte === IAC) state = "command";
      else data.push(byte);
    } else if (state === "command") command(byte);
    else if (state === "option") {
      state = "data";
      handlers.onOption(verb, byte);
    } else if (state === "sub") {
      if (byte === IAC) state = "sub-command";
      else if (sub.length < MAX_SUBNEGOTIATION) sub.push(byte);
    } else if (byte === IAC) {
      sub.push(IAC);
      state = "sub";
    } else {
      state = "data";
      if (byte === SE) handlers.onSubnegotiation(sub);
    }
  };
  return (bytes) => {
    for (const byte of bytes) step(byte);
    if (data.length > 0) handlers.onData(Uint8Array.from(data));
    data = [];
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
