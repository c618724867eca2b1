/* The vocabulary of RFC 2217 (COM port control over Telnet, RFC 854), for the client and the server. */

export const TELNET = {
  se: 240,
  sb: 250,
  will: 251,
  wont: 252,
  do: 253,
  dont: 254,
  iac: 255,
} as const;

export const COM_PORT = 44;
/** The options that both sides agree on before any byte is sent: binary, suppress go-ahead, COM port. */
export const TELNET_OPTIONS = [0, 3, COM_PORT];

/** What a client orders below COM_PORT. */
export const SET = { baudRate: 1, dataSize: 2, parity: 3, stopSize: 4, control: 5 } as const;
/** A server's answer carries the client's command plus 100. */
export const ANSWER = 100;
/** Values of SET.control for the modem lines (RFC 2217, section 3). */
export const MODEM = { dtrOn: 8, dtrOff: 9, rtsOn: 11, rtsOff: 12 } as const;
/** Longest subnegotiation that anybody sends; the rest of a longer one is dropped. */
export const MAX_SUBNEGOTIATION = 256;
