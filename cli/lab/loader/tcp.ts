import { createServer, type Socket } from "node:net";
import { followConnections, listenOn } from "../server/listen.js";
import type { Line } from "./line.js";
import type { OpenEnd } from "./pty.js";
import { createTelnetSession, type TelnetSession } from "./rfc2217.js";

export interface OpenServer extends OpenEnd {
  readonly port: number;
}

export interface ModemLines {
  dtr?: boolean;
  rts?: boolean;
}

/** The bare line on a TCP port (`socket://`): no modem lines, so no resets. */
export function openTcp(line: Line, port?: number): Promise<OpenServer> {
  return openServer(line, port, () => undefined);
}

/** The line on a TCP port that speaks RFC 2217 (`rfc2217://`), modem lines included. */
export function openRfc2217(
  line: Line,
  setLines: (lines: ModemLines) => void,
  port?: number,
): Promise<OpenServer> {
  return openServer(line, port, (socket) =>
    createTelnetSession({
      send: (bytes) => socket.write(bytes),
      onData: (bytes) => line.fromHost(bytes),
      onLines: setLines,
    }),
  );
}

async function openServer(
  line: Line,
  preferredPort: number | undefined,
  telnetFor: (socket: Socket) => TelnetSession | undefined,
): Promise<OpenServer> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    const telnet = telnetFor(socket);
    const detach = line.attach({
      send: (bytes) => socket.write(telnet ? telnet.escape(bytes) : bytes),
      vanish: () => socket.destroy(),
    });
    socket.on("data", (bytes) => (telnet ? telnet.feed(bytes) : line.fromHost(bytes)));
    socket.on("close", detach);
    telnet?.start();
  });
  const { close } = followConnections(server);
  return { port: await listenOn(server, preferredPort), close };
}
