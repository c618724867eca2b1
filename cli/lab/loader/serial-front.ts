import type { LoaderChip } from "../../../codegen/chips.js";
import { type ChipSecurity, loaderProfile, type ResetCircuit } from "./chip-profile.js";
import { noFaults } from "./faults.js";
import type { FlashChip } from "./flash-chip.js";
import { createLine } from "./line.js";
import { createLoader } from "./loader.js";
import { type OpenEnd, openPty } from "./pty.js";
import { openRfc2217, openTcp } from "./tcp.js";

export interface SerialFrontOptions {
  readonly chip: LoaderChip;
  /** 12 hex digits. */
  readonly mac: string;
  readonly flash: FlashChip;
  /** Default: a UART bridge. */
  readonly circuit?: ResetCircuit;
  /** Bytes take as long as on a real line; default false. */
  readonly throttle?: boolean;
  readonly security?: ChipSecurity;
  /** A reset starts the application. */
  readonly onBoot: () => void;
  /** A reset entered the loader. */
  readonly onDownload: () => void;
  /** What the host sends while the application runs. */
  readonly onInput?: (bytes: Uint8Array) => void;
}

export type SerialFront = ReturnType<typeof createSerialFront>;

/** The serial side of a virtual board: the chip's loader and every port that leads to it. It is off until `powerOn`. */
export function createSerialFront(options: SerialFrontOptions) {
  const circuit = options.circuit ?? "uart";
  const profile = loaderProfile(options.chip, options.mac, {
    circuit,
    ...(options.security ? { security: options.security } : {}),
  });
  const faults = noFaults();
  const ends: OpenEnd[] = [];
  const ptys = new Map<string, OpenEnd>();
  const line = createLine({
    throttle: options.throttle ?? false,
    faults,
    toChip: (bytes) => loader.feed(bytes),
  });
  const loader = createLoader(
    { profile, flash: options.flash, circuit, faults },
    {
      toHost: (bytes) => line.toHost(bytes),
      onBoot: options.onBoot,
      onDownload: options.onDownload,
      onInput: options.onInput ?? (() => {}),
      onBaud: (baud) => line.setBaud(baud),
    },
  );

  return {
    /** Change it at any time. */
    faults,
    /** The application's log; lost while the loader has the line. */
    write(log: string | Uint8Array): void {
      if (loader.mode() !== "app") return;
      line.toHost(typeof log === "string" ? Buffer.from(log, "utf8") : log);
    },
    reset: loader.reset,
    powerOn: loader.powerOn,
    powerOff: loader.powerOff,
    setLines: loader.setLines,
    mode: loader.mode,
    /** A pseudo-terminal at `link` and its modem lines at `<link>.ctl`. */
    async openPty(link: string): Promise<void> {
      // One that vanished may still be clearing its paths away.
      await ptys.get(link)?.close();
      const pty = await openPty(link, line, loader.setLines);
      ptys.set(link, pty);
      ends.push(pty);
    },
    /** Gives the port that it listens on, on 127.0.0.1, as does `openRfc2217`. */
    async openTcp(port?: number): Promise<number> {
      const server = await openTcp(line, port);
      ends.push(server);
      return server.port;
    },
    async openRfc2217(port?: number): Promise<number> {
      const server = await openRfc2217(line, loader.setLines, port);
      ends.push(server);
      return server.port;
    },
    /** Closes every port; the flash chip stays the caller's. */
    async close(): Promise<void> {
      loader.powerOff();
      await Promise.all(ends.splice(0).map((end) => end.close()));
      line.close();
    },
  };
}
