import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createSlipDecoder, encodeSlip } from "../../cli/serial/slip.js";

const decode = (bytes: Uint8Array, options?: { keepBetween?: boolean }): string[] => {
  const frames: string[] = [];
  const decoder = createSlipDecoder(
    (frame) => frames.push(Buffer.from(frame).toString("hex")),
    options,
  );
  for (const byte of bytes) decoder.feed(Uint8Array.from([byte]));
  return frames;
};
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");

it("escapes both special bytes and nothing else", () => {
  expect(Buffer.from(encodeSlip(bytes("01 c0 db dc dd 02"))).toString("hex")).toBe(
    "c001dbdcdbdddcdd02c0",
  );
});

it("round-trips any bytes", () => {
  for (let length = 1; length < 300; length++) {
    const payload = randomBytes(length);
    expect(decode(encodeSlip(payload))).toEqual([payload.toString("hex")]);
  }
});

it("as the chip: ignores what lies between frames, and empty frames", () => {
  expect(decode(bytes("41 42 c0 c0 01 c0 43 44 c0 02 c0"))).toEqual(["01", "02"]);
});

it("as the chip: drops a frame with a wrong escape, up to the next delimiter", () => {
  expect(decode(bytes("c0 01 db 41 02 c0 03 c0 c0 04 c0"))).toEqual(["03", "04"]);
});

it("as the host: a stray delimiter does not turn frames inside out", () => {
  expect(decode(bytes("c0 41 42 c0 01 0a c0 c0 01 0b c0"), { keepBetween: true })).toEqual([
    "4142",
    "010a",
    "010b",
  ]);
});

it("drops a frame without an end instead of filling memory", () => {
  const endless = Buffer.concat([bytes("c0"), Buffer.alloc(200_000, 1), bytes("c0 02 c0")]);
  expect(decode(endless)).toEqual(["02"]);
});
