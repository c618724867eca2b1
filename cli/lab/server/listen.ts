import { createServer, type Server, type Socket } from "node:net";
import { ProvError } from "../../errors.js";
import { hasCode } from "../../system-error.js";
import { pause } from "../../time/wait.js";

export const LOOPBACK = "127.0.0.1";
const TAKE_BACK_MS = 15_000;
const TAKE_BACK_POLL_MS = 100;

/**
 * Listens on 127.0.0.1: on `preferredPort` when it is free (unless `exact`, any other one will do),
 * else on one that the kernel chooses.
 * @returns the port
 */
export async function listenOn(
  server: Server,
  preferredPort?: number,
  { exact = false }: { exact?: boolean } = {},
): Promise<number> {
  try {
    return await (exact
      ? listenAgain(server, preferredPort ?? 0)
      : listen(server, preferredPort ?? 0));
  } catch (cause) {
    if (exact || preferredPort === undefined || !hasCode(cause, "EADDRINUSE")) {
      throw new ProvError("lab_failed", `cannot listen on port ${preferredPort ?? "(any)"}`, {
        cause,
      });
    }
    return listen(server, 0);
  }
}

/**
 * Takes a port back that was ours. A client that kept trying meanwhile may hold it for a moment: its
 * connection can leave from the very port that it goes to (TCP's simultaneous open, RFC 9293, 3.5).
 */
async function listenAgain(server: Server, port: number): Promise<number> {
  const end = Date.now() + TAKE_BACK_MS;
  for (;;) {
    try {
      return await listen(server, port);
    } catch (error) {
      if (!hasCode(error, "EADDRINUSE") || Date.now() > end) throw error;
      await pause(TAKE_BACK_POLL_MS);
    }
  }
}

/**
 * A port that was free a moment ago, for programs that cannot choose one themselves. Somebody may
 * take it in between: the caller must be ready to try again.
 */
export async function findFreePort(preferredPort?: number): Promise<number> {
  const probe = createServer();
  const { close } = followConnections(probe);
  const port = await listenOn(probe, preferredPort);
  await close();
  return port;
}

/** The connections of a server, which keep it open. Made after whatever stands before the server itself. */
export function followConnections(server: Server) {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => {}); // cut connections are normal here
  });
  return {
    open,
    /** Cuts them; resolves when nothing of the server is left, also when it is closing already or closed. */
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(error);
    server.once("error", fail);
    server.listen(port, LOOPBACK, () => {
      server.removeListener("error", fail);
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no TCP address"));
      else resolve(address.port);
    });
  });
}
