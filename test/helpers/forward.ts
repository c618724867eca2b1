import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Forward {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Ends the connections under way, too. */
  close(): void;
}

/** A port that leads to the `host:port` that `target` names for each connection; null hangs up. */
export async function forwardTo(target: () => Promise<string | null>): Promise<Forward> {
  const travellers = new Set<Socket>();
  const server = createServer((near) => {
    travellers.add(near);
    near.on("error", () => {});
    near.on("close", () => travellers.delete(near));
    void target().then((host) => {
      if (host === null) return near.destroy();
      const { hostname, port } = new URL(`tcp://${host}`);
      const far = connect(Number(port), hostname);
      far.on("error", () => near.destroy());
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
      near.pipe(far).pipe(near);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const each of travellers) each.destroy();
      server.close();
    },
  };
}
