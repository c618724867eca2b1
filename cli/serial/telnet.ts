import { COM_PORT, MAX_SUBNEGOTIATION, TELNET } from "./rfc2217.js";

/* Telnet (RFC 854) as far as RFC 2217 needs it, for the client and the server. */

export interface TelnetHandlers {
  onData(bytes: Uint8Array): void;
  onOption(verb: number, option: number): void;
  /** What lies between IAC SB and IAC SE; every byte before it has been handed out. */
  onSubnegotiation(bytes: readonly number[]): void;
}

/** Splits a stream into data, option negotiation and subnegotiations, wherever it was cut. */
export function createTelnetParser(handlers: TelnetHandlers): (bytes: Uint8Array) => void {
  let state: "data" | "command" | "option" | "sub" | "sub-command" = "data";
  let verb = 0;
  let sub: number[] = [];
  let data: number[] = [];

  const flush = (): void => {
    if (data.length > 0) handlers.onData(Uint8Array.from(data));
    data = [];
  };

  const command = (byte: number): void => {
    state = "data";
    if (byte === TELNET.iac) data.push(TELNET.iac);
    else if (byte === TELNET.sb) {
      sub = [];
      state = "sub";
    } else if (byte >= TELNET.will) {
      verb = byte;
      state = "option";
    }
  };

  const step = (byte: number): void => {
    if (state === "data") {
      if (byte === TELNET.iac) state = "command";
      else data.push(byte);
    } else if (state === "command") command(byte);
    else if (state === "option") {
      state = "data";
      handlers.onOption(verb, byte);
    } else if (state === "sub") {
      if (byte === TELNET.iac) state = "sub-command";
      else if (sub.length < MAX_SUBNEGOTIATION) sub.push(byte);
    } else if (byte === TELNET.iac) {
      sub.push(TELNET.iac);
      state = "sub";
    } else {
      state = "data";
      flush();
      if (byte === TELNET.se) handlers.onSubnegotiation(sub);
    }
  };

  return (bytes) => {
    for (const byte of bytes) step(byte);
    flush();
  };
}

/** Doubles IAC in data. */
export function escapeIac(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(TELNET.iac)) return bytes;
  return Uint8Array.from(
    [...bytes].flatMap((byte) => (byte === TELNET.iac ? [TELNET.iac, TELNET.iac] : [byte])),
  );
}

/** What one side says of one option. */
export function negotiation(verb: number, option: number): Uint8Array {
  return Uint8Array.from([TELNET.iac, verb, option]);
}

/** That an option is offered, and asked for. */
export function offer(option: number): Uint8Array {
  return Buffer.concat([negotiation(TELNET.will, option), negotiation(TELNET.do, option)]);
}

/** An order about the COM port, or its answer. */
export function comPortOrder(command: number, value: readonly number[]): Uint8Array {
  const { iac, sb, se } = TELNET;
  const escaped = escapeIac(Uint8Array.from(value));
  return Uint8Array.from([iac, sb, COM_PORT, command, ...escaped, iac, se]);
}
