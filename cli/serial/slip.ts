/** SLIP (RFC 1055), the framing of the loader protocol. */

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** Far above the largest frame of the protocol (a 16 KiB block); a longer one is noise. */
const MAX_FRAME = 0x1_0000;

/** One frame with its delimiters. */
export function encodeSlip(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(payload.length * 2 + 2);
  let at = 0;
  out[at++] = END;
  for (const byte of payload) {
    if (byte === END || byte === ESC) {
      out[at++] = ESC;
      out[at++] = byte === END ? ESC_END : ESC_ESC;
    } else {
      out[at++] = byte;
    }
  }
  out[at++] = END;
  return out.subarray(0, at);
}

/**
 * A wrong escape or an endless frame is dropped up to the next delimiter. Empty frames do not count.
 * What lies between frames is ignored, as the chip does it; with `keepBetween` it comes as a frame
 * too, so that a stray delimiter cannot turn frames inside out. `onFrame` owns its bytes.
 */
export function createSlipDecoder(
  onFrame: (frame: Uint8Array) => void,
  { keepBetween = false }: { keepBetween?: boolean } = {},
) {
  const buffer = new Uint8Array(MAX_FRAME);
  let length = 0;
  let state: "outside" | "inside" | "escaped" = "outside";

  const put = (byte: number): void => {
    state = "inside";
    if (length === MAX_FRAME) state = "outside";
    else buffer[length++] = byte;
  };
  const delimiter = (): void => {
    const isFrame = state === "inside" && length > 0;
    state = isFrame && !keepBetween ? "outside" : "inside";
    const frame = isFrame ? buffer.slice(0, length) : undefined;
    length = 0;
    if (frame) onFrame(frame);
  };

  return {
    feed(bytes: Uint8Array): void {
      for (const byte of bytes) {
        if (byte === END) delimiter();
        else if (state === "outside") continue;
        else if (state === "escaped") {
          if (byte === ESC_END) put(END);
          else if (byte === ESC_ESC) put(ESC);
          else state = "outside";
        } else if (byte === ESC) state = "escaped";
        else put(byte);
      }
    },
    /** Forgets a frame that has begun. */
    reset(): void {
      state = "outside";
      length = 0;
    },
  };
}
