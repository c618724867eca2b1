import { Server as HttpServer } from "node:http";
import type { Server } from "node:net";
import { onTestFinished } from "vitest";
import { listenOn } from "../../cli/lab/server/listen.js";

/** Lets a server listen on 127.0.0.1 until the test is over. @returns the port */
export async function served(server: Server): Promise<number> {
  const port = await listenOn(server);
  onTestFinished(() => {
    if (server instanceof HttpServer) server.closeAllConnections();
    server.close();
  });
  return port;
}
