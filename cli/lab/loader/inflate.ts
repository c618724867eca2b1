import { constants, createInflate } from "node:zlib";

export interface Inflater {
  /** What this piece of the zlib stream brings to light. Rejects when the stream is not one. */
  push(piece: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

/** Inflates piece by piece, as the chip does; an end that never comes is nobody's error here. */
export function createInflater(): Inflater {
  const stream = createInflate();
  let chunks: Buffer[] = [];
  let failure: Error | undefined;
  let reject: ((error: Error) => void) | undefined;
  let isAtEnd = false;
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    isAtEnd = true;
  });
  stream.on("error", (error) => {
    failure = error;
    reject?.(error);
  });
  return {
    push(piece) {
      if (failure) return Promise.reject(failure);
      if (isAtEnd) return Promise.resolve(new Uint8Array());
      return new Promise((resolve, rejectPush) => {
        reject = rejectPush;
        stream.write(piece);
        stream.flush(constants.Z_SYNC_FLUSH, () => {
          const output = Buffer.concat(chunks);
          chunks = [];
          resolve(output);
        });
      });
    },
    close() {
      stream.destroy();
    },
  };
}
