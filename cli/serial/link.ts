import { ProvError } from "../errors.js";

/** True is asserted: RTS alone holds the chip in reset, DTR alone selects the loader. */
export interface ModemLines {
  readonly dtr: boolean;
  readonly rts: boolean;
}

export interface UsbIdentity {
  readonly vendorId?: number;
  readonly productId?: number;
  readonly serialNumber?: string;
}

/** An open serial port, wherever the board is. */
export interface SerialLink {
  /** As the user named it. */
  readonly spec: string;
  readonly usb: UsbIdentity;
  /** False where no modem lines reach the board: it must be reset by hand. */
  canReset(): boolean;
  /** Why the port is gone, once it is. */
  lost(): ProvError | undefined;
  /** Resolves when the bytes are on their way. @throws ProvError port_lost */
  write(bytes: Uint8Array): Promise<void>;
  /** Listen at once after opening: nothing is kept for later. */
  onData(listener: (bytes: Uint8Array) => void): () => void;
  /** Called once, at once when the port is gone already. */
  onLost(listener: (error: ProvError) => void): () => void;
  setLines(lines: ModemLines): Promise<void>;
  setBaud(baud: number): Promise<void>;
  /** Resolves when the port is free for others. Does nothing the second time. */
  close(): Promise<void>;
}

/** Espressif's USB vendor id. */
export const ESPRESSIF = 0x303a;
export const DEFAULT_BAUD = 115_200;
/** Of a board's loader, once it has been asked for it. */
export const DEFAULT_FLASH_BAUD = 460_800;

export interface NetworkSpec {
  readonly protocol: "socket" | "rfc2217";
  readonly host: string;
  readonly port: number;
}

/** @throws ProvError usage */
export function parseNetworkSpec(spec: string): NetworkSpec {
  const match = /^(socket|rfc2217):\/\/(\[[0-9a-fA-F:]+\]|[^:/?#]+):(\d{1,5})\/?(?:[?#].*)?$/.exec(
    spec,
  );
  const [, protocol, host, portText] = match ?? [];
  const port = Number(portText);
  if (!host || !protocol || !(port >= 1 && port <= 65_535)) {
    throw new ProvError("usage", `${spec}: expected ${protocol ?? "socket"}://HOST:PORT`);
  }
  const isRfc2217 = protocol === "rfc2217";
  return { protocol: isRfc2217 ? "rfc2217" : "socket", host: host.replace(/^\[|\]$/g, ""), port };
}

export function portLost(spec: string, cause?: unknown): ProvError {
  return new ProvError(
    "port_lost",
    `the connection to ${spec} was lost`,
    cause === undefined ? {} : { cause },
  );
}

/** The listeners and the loss of a link, which every kind needs. */
export function createLinkEvents(spec: string) {
  const data = new Set<(bytes: Uint8Array) => void>();
  const losses = new Set<(error: ProvError) => void>();
  let lost: ProvError | undefined;
  return {
    emit(bytes: Uint8Array): void {
      for (const listener of [...data]) listener(bytes);
    },
    lose(cause?: unknown): void {
      if (lost) return;
      lost = portLost(spec, cause);
      for (const listener of [...losses]) listener(lost);
    },
    lost: () => lost,
    onData(listener: (bytes: Uint8Array) => void): () => void {
      data.add(listener);
      return () => data.delete(listener);
    },
    onLost(listener: (error: ProvError) => void): () => void {
      if (lost) listener(lost);
      else losses.add(listener);
      return () => losses.delete(listener);
    },
  };
}
