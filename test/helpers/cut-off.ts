import { connect, createServer, type Socket } from "node:net";
import { served } from "./served.js";

/** How a server stops: FIN, RST, or never a word again. */
export type End = "fin" | "rst" | "silence";

/**
 * A port that leads to another one's server, of which it lets so many TLS records through; then it ends, at once or when
 * the client has something to say.
 */
export function cutOff(
  target: number,
  records: number,
  end: End,
  { isAtOnce = true } = {},
): Promise<number> {
  return served(
    createServer((near) => {
      const far = connect(target, "127.0.0.1");
      let left = records;
      let waiting = Buffer.alloc(0);
      const stop = () => {
        if (isAtOnce) finish(near, end);
        else near.once("data", () => finish(near, end));
      };
      if (left === 0) near.once("data", stop);
      near.on("data", (chunk) => far.write(chunk));
      far.on("data", (chunk) => {
        waiting = Buffer.concat([waiting, chunk]);
        while (left > 0 && waiting.length >= 5 && waiting.length >= 5 + waiting.readUInt16BE(3)) {
          const size = 5 + waiting.readUInt16BE(3);
          const record = waiting.subarray(0, size);
          waiting = waiting.subarray(size);
          left -= 1;
          near.write(record, left === 0 ? stop : undefined);
        }
      });
      for (const socket of [near, far]) socket.on("error", () => {});
      near.on("close", () => far.destroy());
    }),
  );
}

/** A server that has one answer to the first bytes of everybody, and then ends. */
export function answering(bytes: Buffer, end: End = "silence"): Promise<number> {
  return served(
    createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write(bytes, () => finish(socket, end)));
    }),
  );
}

function finish(socket: Socket, end: End): void {
  if (end === "fin") socket.end();
  if (end === "rst") socket.resetAndDestroy();
}
