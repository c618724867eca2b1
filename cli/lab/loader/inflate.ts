import { constants, createInflate } from "node:zlib";

export type Inflater = ReturnType<typeof createInflater>;

/** Inflates piece by piece, as the chip does; an end that never comes is nobody's error here. */
export function createInflater() {
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
    /** What this piece of the zlib stream brings to light. Rejects when the stream is not one. */
    push(piece: Uint8Array): Promise<Uint8Array> {
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
    close(): void {
      stream.destroy();
    },
  };
}
