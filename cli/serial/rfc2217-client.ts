import { ProvError } from "../errors.js";
import { ANSWER, COM_PORT, MODEM, SET, TELNET, TELNET_OPTIONS } from "./rfc2217.js";
import { comPortOrder, createTelnetParser, escapeIac, negotiation, offer } from "./telnet.js";

/* The client's side of RFC 2217 (COM port control over Telnet, RFC 854). */

const ANSWER_MS = 3_000;

export function createComPortClient(port: {
  send(bytes: Uint8Array): Promise<void>;
  onData(bytes: Uint8Array): void;
}) {
  const waiting = new Map<number, () => void>();
  const announced = new Set<number>();

  const order = async (command: number, value: readonly number[]): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<void>((resolve, reject) => {
      waiting.set(command + ANSWER, resolve);
      timer = setTimeout(() => reject(noServer()), ANSWER_MS);
    });
    await port.send(comPortOrder(command, value));
    await answered.finally(() => {
      clearTimeout(timer);
      waiting.delete(command + ANSWER);
    });
  };

  const negotiate = (verb: number, option: number): void => {
    if (verb === TELNET.wont || verb === TELNET.dont) return;
    const [yes, no] = verb === TELNET.will ? [TELNET.do, TELNET.dont] : [TELNET.will, TELNET.wont];
    const answer = TELNET_OPTIONS.includes(option) ? yes : no;
    const key = answer * 256 + option;
    if (announced.has(key)) return; // answering an answer would never end
    announced.add(key);
    void port.send(negotiation(answer, option)).catch(() => {});
  };

  const parser = createTelnetParser({
    onData: port.onData,
    onOption: negotiate,
    onSubnegotiation: ([option, command]) => {
      if (option === COM_PORT && command !== undefined) waiting.get(command)?.();
    },
  });

  return {
    /** Negotiates and sets 8N1. @throws ProvError port_not_found when the other side is no such server */
    async start(baud: number): Promise<void> {
      for (const option of TELNET_OPTIONS) {
        announced.add(TELNET.will * 256 + option).add(TELNET.do * 256 + option);
        await port.send(offer(option));
      }
      await order(SET.baudRate, bigEndian(baud));
      await order(SET.dataSize, [8]);
      await order(SET.parity, [1]);
      await order(SET.stopSize, [1]);
    },
    feed: parser,
    setBaud: (baud: number) => order(SET.baudRate, bigEndian(baud)),
    setDtr: (on: boolean) => order(SET.control, [on ? MODEM.dtrOn : MODEM.dtrOff]),
    setRts: (on: boolean) => order(SET.control, [on ? MODEM.rtsOn : MODEM.rtsOff]),
    escape: escapeIac,
    /** Ends every wait: the connection is gone. */
    stop(): void {
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
