/* The vocabulary of RFC 2217 (COM port control over Telnet, RFC 854), for the client and the server. */

export const IAC = 255;
export const DONT = 254;
export const DO = 253;
export const WONT = 252;
export const WILL = 251;
export const SB = 250;
export const SE = 240;

export const BINARY = 0;
export const SUPPRESS_GO_AHEAD = 3;
export const COM_PORT = 44;
/** The options that both sides agree on before any byte is sent. */
export const TELNET_OPTIONS = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT];

export const SET_BAUDRATE = 1;
export const SET_DATASIZE = 2;
export const SET_PARITY = 3;
export const SET_STOPSIZE = 4;
export const SET_CONTROL = 5;
/** A server's answer carries the client's command plus 100. */
export const ANSWER = 100;
/** SET-CONTROL values for the modem lines (RFC 2217, section 3). */
export const DTR_ON = 8;
export const DTR_OFF = 9;
export const RTS_ON = 11;
export const RTS_OFF = 12;
/** Longest subnegotiation that anybody sends; the rest of a longer one is dropped. */
export const MAX_SUBNEGOTIATION = 256;
