import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Forward {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Ends the connections under way, too. */
  close(): void;
}

/** A port that leads to the one that `target` names for each connection; null hangs up. */
export async function forwardTo(target: () => Promise<number | null>): Promise<Forward> {
  const travellers = new Set<Socket>();
  const server = createServer((near) => {
    travellers.add(near);
    near.on("error", () => {});
    near.on("close", () => travellers.delete(near));
    void target().then((port) => {
      if (port === null) return near.destroy();
      const far = connect(port, "127.0.0.1");
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
