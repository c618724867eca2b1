import { IAC, MAX_SUBNEGOTIATION, SB, SE, WILL } from "./rfc2217.js";

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
      flush();
      if (byte === SE) handlers.onSubnegotiation(sub);
    }
  };

  return (bytes) => {
    for (const byte of bytes) step(byte);
    flush();
  };
}

/** Doubles IAC in data. */
export function escapeIac(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(IAC)) return bytes;
  return Uint8Array.from([...bytes].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])));
}
