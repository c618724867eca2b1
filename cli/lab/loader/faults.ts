/** What can go wrong on the line or in the chip; tests and the lab change it while the board runs. */
export interface LoaderFaults {
  /** The loader hears and never answers. */
  mute: boolean;
  /** Every MD5 that the loader gives is another one. */
  wrongMd5: boolean;
  /** Bytes sent to the host before each of the loader's frames. */
  noise?: Uint8Array | undefined;
  /** Every n-th byte from the host is lost. */
  dropEvery?: number | undefined;
  /** Every n-th byte from the host arrives twice. */
  repeatEvery?: number | undefined;
  /** The port vanishes when the host has sent so many bytes more. */
  vanishAfterBytes?: number | undefined;
  /** Above this rate the line carries nothing but rubbish. */
  maxBaud?: number | undefined;
  /** The next reset into the application ends in the loader (seen on USB-Serial-JTAG). */
  stickInDownload: boolean;
}

export function noFaults(): LoaderFaults {
  return { mute: false, wrongMd5: false, stickInDownload: false };
}

/** Applies the losses and repetitions to what the host sends; `count` is how much it sent before. */
export function damage(bytes: Uint8Array, faults: LoaderFaults, count: number): Uint8Array {
  const { dropEvery, repeatEvery } = faults;
  if (dropEvery === undefined && repeatEvery === undefined) return bytes;
  const out: number[] = [];
  bytes.forEach((byte, index) => {
    const position = count + index + 1;
    if (dropEvery !== undefined && position % dropEvery === 0) return;
    out.push(byte);
    if (repeatEvery !== undefined && position % repeatEvery === 0) out.push(byte);
  });
  return Uint8Array.from(out);
}
