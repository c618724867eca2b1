import { describe, expect, it } from "vitest";
import { createLoaderBench, words } from "../support/loader-bench.js";

type Lines = [dtr: number, rts: number][];

const drive = (circuit: "uart" | "usb", lines: Lines) => {
  const bench = createLoaderBench("esp32c3", { circuit });
  bench.loader.powerOn();
  bench.boots.length = 0;
  for (const [dtr, rts] of lines) bench.loader.setLines({ dtr: dtr === 1, rts: rts === 1 });
  return bench;
};

describe("DTR and RTS through a UART bridge", () => {
  it.each<[string, Lines, string[]]>([
    [
      "RTS alone, released: the application",
      [
        [0, 1],
        [0, 0],
      ],
      ["app"],
    ],
    [
      "the hand-over to DTR: the loader",
      [
        [0, 1],
        [1, 0],
        [0, 0],
      ],
      ["download"],
    ],
    [
      "the same one line at a time",
      [
        [0, 1],
        [1, 1],
        [1, 0],
        [0, 0],
      ],
      ["download"],
    ],
    [
      "both lines at once: nothing",
      [
        [1, 1],
        [0, 0],
      ],
      [],
    ],
    [
      "DTR alone: nothing",
      [
        [1, 0],
        [0, 0],
      ],
      [],
    ],
    [
      "DTR asserted again during the pulse: the loader again",
      [
        [0, 1],
        [1, 1],
        [1, 0],
      ],
      ["download"],
    ],
  ])("%s", (_what, lines, boots) => {
    expect(drive("uart", lines).boots).toEqual(boots);
  });

  it("holds the chip while EN is low", () => {
    const bench = drive("uart", [[0, 1]]);
    expect(bench.loader.mode()).toBe("held");
  });
});

describe("DTR and RTS through USB-Serial-JTAG", () => {
  it.each<[string, Lines, string[]]>([
    [
      "flag set, then reset: the loader",
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
        [0, 0],
      ],
      ["download"],
    ],
    [
      "flag clear, then reset: the application",
      [
        [0, 0],
        [0, 1],
        [0, 0],
      ],
      ["app"],
    ],
    ["both lines: nothing", [[1, 1]], []],
  ])("%s", (_what, lines, boots) => {
    expect(drive("usb", lines).boots).toEqual(boots);
  });
});

describe("entering the loader", () => {
  it("loses what is sent before the ROM is up", async () => {
    const bench = createLoaderBench();
    bench.loader.powerOn({ download: true });
    bench.frame(Buffer.from([0, 8, 0]));
    expect(bench.loader.mode()).toBe("starting");
    await bench.enterRom();
    expect((await bench.ask(10, words(0)))[1]).toBe(10);
  });

  it("prints each chip's own text", async () => {
    for (const [chip, circuit, text] of [
      ["esp32c3", "uart", "wait uart0 download"],
      ["esp32c3", "usb", "waiting for download"],
      ["esp32s3", "uart", "ESP-ROM:esp32s3-20210327"],
      ["esp32", "uart", "DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2)"],
    ] as const) {
      const bench = createLoaderBench(chip, { circuit });
      await bench.enterRom();
      expect(bench.text()).toContain(text);
    }
  });

  it("does nothing without power", () => {
    const bench = createLoaderBench();
    bench.loader.setLines({ dtr: false, rts: true });
    bench.loader.setLines({ dtr: false, rts: false });
    bench.loader.reset();
    expect(bench.boots).toEqual([]);
    expect(bench.loader.mode()).toBe("off");
  });
});
