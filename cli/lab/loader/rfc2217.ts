import { ANSWER, COM_PORT, MODEM, SET, TELNET, TELNET_OPTIONS } from "../../serial/rfc2217.js";
import {
  comPortOrder,
  createTelnetParser,
  escapeIac,
  negotiation,
  offer,
} from "../../serial/telnet.js";

/*
 * The server's side of RFC 2217 (COM port control over Telnet, RFC 854): enough for pyserial and for
 * prov's own client.
 */

export type TelnetSession = ReturnType<typeof createTelnetSession>;

export function createTelnetSession(handlers: {
  send(bytes: Uint8Array): void;
  onData(bytes: Uint8Array): void;
  onLines(lines: { dtr?: boolean; rts?: boolean }): void;
}) {
  let baud = [0, 1, 0xc2, 0]; // 115200

  const refuseUnknown = (verb: number, option: number): void => {
    if (TELNET_OPTIONS.includes(option) || verb === TELNET.wont || verb === TELNET.dont) return;
    handlers.send(negotiation(verb === TELNET.will ? TELNET.dont : TELNET.wont, option));
  };

  const subnegotiate = ([option, order, ...value]: readonly number[]): void => {
    if (option !== COM_PORT || order === undefined || order >= ANSWER) return;
    if (order === SET.control) setControl(value[0], handlers.onLines);
    if (order === SET.baudRate && value.some((byte) => byte !== 0)) baud = value;
    handlers.send(comPortOrder(order + ANSWER, order === SET.baudRate ? baud : value));
  };

  return {
    start(): void {
      handlers.send(Buffer.concat(TELNET_OPTIONS.map(offer)));
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
  if (value === MODEM.dtrOn || value === MODEM.dtrOff) onLines({ dtr: value === MODEM.dtrOn });
  if (value === MODEM.rtsOn || value === MODEM.rtsOff) onLines({ rts: value === MODEM.rtsOn });
}
