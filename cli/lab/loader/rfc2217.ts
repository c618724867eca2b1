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
  TELNET_OPTIONS,
  WILL,
  WONT,
} from "../../serial/rfc2217.js";
import { createTelnetParser, escapeIac } from "../../serial/telnet.js";

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
  let baud = [0, 1, 0xc2, 0]; // 115200

  const refuseUnknown = (verb: number, option: number): void => {
    if (TELNET_OPTIONS.includes(option) || verb === WONT || verb === DONT) return;
    handlers.send(Uint8Array.from([IAC, verb === WILL ? DONT : WONT, option]));
  };

  const subnegotiate = ([option, order, ...value]: readonly number[]): void => {
    if (option !== COM_PORT || order === undefined || order >= ANSWER) return;
    if (order === SET_CONTROL) setControl(value[0], handlers.onLines);
    if (order === SET_BAUDRATE && value.some((byte) => byte !== 0)) baud = value;
    const answer = Uint8Array.from(order === SET_BAUDRATE ? baud : value);
    const frame = [IAC, SB, COM_PORT, order + ANSWER, ...escapeIac(answer), IAC, SE];
    handlers.send(Uint8Array.from(frame));
  };

  return {
    start() {
      handlers.send(
        Uint8Array.from(TELNET_OPTIONS.flatMap((option) => [IAC, WILL, option, IAC, DO, option])),
      );
    },
    feed: createTelnetParser({
      onData: handlers.onData,
      onOption: refuseUnknown,
      onSubnegotiation: subnegotiate,
    }),
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
