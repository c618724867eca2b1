import {
  ANSWER,
  COM_PORT,
  DO,
  DONT,
  DTR_OFF,
  DTR_ON,
  IAC,
  MAX_SUBNEGOTIATION,
  RTS_OFF,
  RTS_ON,
  SB,
  SE,
  SET_BAUDRATE,
  SET_CONTROL,
  TELNET_OPTIONS,
  WILL,
  WONT,
} from "../../serial/rfc2217.js";

/*
 * The server's side of RFC 2217 (COM port control over Telnet, RFC 854): enough for pyserial and for
 * prov's own client.
 */

export interface TelnetSession {
  start(): void;
  feed(bytes: Uint8Array): void;
  escape(bytes: Uint8Array): Uint8Array;
}

export function createTelnetSession(handlers: {
  send(bytes: Uint8Array): void;
  onData(bytes: Uint8Array): void;
  onLines(lines: { dtr?: boolean; rts?: boolean }): void;
}): TelnetSession {
  let state: "data" | "command" | "option" | "sub" | "sub-command" = "data";
  let verb = 0;
  let sub: number[] = [];
  let data: number[] = [];
  let baud = Uint8Array.from([0, 1, 0xc2, 0]); // 115200

  const flush = (): void => {
    if (data.length > 0) handlers.onData(Uint8Array.from(data));
    data = [];
  };

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

  const refuseUnknown = (option: number): void => {
    state = "data";
    if (TELNET_OPTIONS.includes(option) || verb === WONT || verb === DONT) return;
    handlers.send(Uint8Array.from([IAC, verb === WILL ? DONT : WONT, option]));
  };

  const subnegotiate = (): void => {
    const [option, order, ...value] = sub;
    if (option !== COM_PORT || order === undefined || order >= ANSWER) return;
    if (order === SET_CONTROL) setControl(value[0], handlers.onLines);
    let answer: Uint8Array = Uint8Array.from(value);
    if (order === SET_BAUDRATE) {
      if (value.some((byte) => byte !== 0)) baud = answer as Uint8Array<ArrayBuffer>;
      answer = baud;
    }
    const frame = [IAC, SB, COM_PORT, order + ANSWER, ...escapeIac(answer), IAC, SE];
    handlers.send(Uint8Array.from(frame));
  };

  const step = (byte: number): void => {
    if (state === "data") {
      if (byte === IAC) state = "command";
      else data.push(byte);
    } else if (state === "command") command(byte);
    else if (state === "option") refuseUnknown(byte);
    else if (state === "sub") {
      if (byte === IAC) state = "sub-command";
      else if (sub.length < MAX_SUBNEGOTIATION) sub.push(byte);
    } else if (byte === IAC) {
      sub.push(IAC);
      state = "sub";
    } else {
      state = "data";
      // The lines must change after the bytes that came before them.
      flush();
      if (byte === SE) subnegotiate();
    }
  };

  return {
    start() {
      handlers.send(
        Uint8Array.from(TELNET_OPTIONS.flatMap((option) => [IAC, WILL, option, IAC, DO, option])),
      );
    },
    feed(bytes) {
      for (const byte of bytes) step(byte);
      flush();
    },
    escape: escapeIac,
  };
}

function setControl(
  value: number | undefined,
  onLines: (lines: { dtr?: boolean; rts?: boolean }) => void,
): void {
  if (value === DTR_ON || value === DTR_OFF) onLines({ dtr: value === DTR_ON });
  if (value === RTS_ON || value === RTS_OFF) onLines({ rts: value === RTS_ON });
}

/** Doubles IAC in data. */
export function escapeIac(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(IAC)) return bytes;
  return Uint8Array.from([...bytes].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])));
}
