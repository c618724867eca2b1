import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { ProvError } from "../errors.js";
import { listFolder } from "../files/files.js";
import { optional } from "../optional.js";
import { visible } from "../terminal/foreign-text.js";
import { ESPRESSIF, type UsbIdentity } from "./link.js";

export interface PortInfo extends UsbIdentity {
  /** `/dev/ttyACM0`, `COM3` */
  readonly path: string;
  /** The USB ids as four hex digits each. */
  readonly vid?: string;
  readonly pid?: string;
  /** For people: what the USB device is. */
  readonly name: string;
  /** True when Espressif made it; a UART bridge may lead anywhere. */
  readonly isEspressif: boolean;
}

/** The USB devices that stand on ESP boards, by `vendor:product`. */
const KNOWN: Readonly<Record<string, string>> = {
  "303a:1001": "Espressif USB-Serial-JTAG",
  "303a:1002": "Espressif ESP-USB-Bridge",
  "303a:0002": "Espressif ESP32-S2 (ROM loader)",
  "303a:0009": "Espressif ESP32-S3 (ROM loader)",
  "10c4:ea60": "Silicon Labs CP210x UART bridge",
  "10c4:ea70": "Silicon Labs CP2105 UART bridge",
  "1a86:7523": "WCH CH340 UART bridge",
  "1a86:55d3": "WCH CH343 UART bridge",
  "1a86:55d4": "WCH CH9102 UART bridge",
  "0403:6001": "FTDI FT232R UART bridge",
  "0403:6010": "FTDI FT2232 UART bridge (ESP-Prog)",
  "0403:6015": "FTDI FT-X UART bridge",
  "067b:2303": "Prolific PL2303 UART bridge",
};

/** Where to look; the tests look elsewhere. */
export interface PortSources {
  /** The directory that holds `sys` and `dev`. */
  readonly root?: string;
  readonly list?: () => Promise<readonly ListedPort[]>;
}

export interface ListedPort {
  path: string;
  vendorId?: string | undefined;
  productId?: string | undefined;
  serialNumber?: string | undefined;
  manufacturer?: string | undefined;
}

/** Every serial port that belongs to a USB device, Espressif's first, then by path. */
export async function listPorts(sources: PortSources = {}): Promise<PortInfo[]> {
  const list = sources.list ?? listWithSerialport;
  let ports: PortInfo[];
  try {
    ports = (await list()).filter(({ vendorId }) => vendorId !== undefined).map(toPortInfo);
  } catch {
    ports = listFromSysfs(sources.root ?? "/"); // no udevadm: a container
  }
  return ports.sort(
    (a, b) => Number(b.isEspressif) - Number(a.isEspressif) || a.path.localeCompare(b.path),
  );
}

/**
 * The port to use when the user named none: the one Espressif device, if there is exactly one.
 * @throws ProvError port_not_found, port_ambiguous
 */
export function chooseOnlyPort(ports: readonly PortInfo[]): PortInfo {
  const espressif = ports.filter(({ isEspressif }) => isEspressif);
  const [only] = espressif;
  if (only && espressif.length === 1) return only;
  const candidates = espressif.length > 0 ? espressif : ports;
  if (candidates.length === 0) {
    throw new ProvError("port_not_found", "no USB serial port is connected");
  }
  const names = candidates.map((port) => `${port.path} (${port.name})`).join(", ");
  const why =
    espressif.length > 0 ? "several boards are connected" : "none is certain to be a board";
  throw new ProvError("port_ambiguous", `${why}: ${names}`);
}

/**
 * What USB device is behind this path; empty when that cannot be told. A serial number that several ports have
 * (the default one of cheap bridges, the two ports of one bridge) is left out: it identifies none of them.
 */
export async function identifyPort(
  portPath: string,
  sources: PortSources = {},
): Promise<UsbIdentity> {
  if (/^(socket|rfc2217):/.test(portPath)) return {};
  const usb =
    process.platform === "linux"
      ? (readSysfsPort(portPath, sources.root ?? "/") ?? {})
      : ((await listPorts(sources)).find((port) => port.path === portPath) ?? {});
  if (usb.serialNumber === undefined) return usb;
  const sharers = (await listPorts(sources)).filter((port) => isSameDevice(port, usb));
  if (sharers.length <= 1) return usb;
  const { serialNumber: _shared, ...others } = usb;
  return others;
}

/**
 * Where the device with this serial number is now: after a reset it may have another name. Undefined when it
 * is nowhere, and when several claim to be it and none has the name that it had.
 */
export async function findPortOf(
  usb: UsbIdentity,
  previousPath: string,
  sources: PortSources = {},
): Promise<string | undefined> {
  if (usb.serialNumber === undefined) return undefined;
  const found = (await listPorts(sources)).filter((port) => isSameDevice(port, usb));
  const only = found.length === 1 ? found[0] : undefined;
  return (only ?? found.find((port) => port.path === previousPath))?.path;
}

function isSameDevice(port: PortInfo, usb: UsbIdentity): boolean {
  return (
    usb.serialNumber !== undefined &&
    port.serialNumber === usb.serialNumber &&
    port.vendorId === usb.vendorId &&
    port.productId === usb.productId
  );
}

/** `303a:1001`, as lsusb has it; empty where one of the two is not known. */
export function usbIds({ vendorId, productId }: UsbIdentity): string {
  if (vendorId === undefined || productId === undefined) return "";
  return `${hex4(vendorId)}:${hex4(productId)}`;
}

async function listWithSerialport(): Promise<readonly ListedPort[]> {
  const { SerialPort } = await import("serialport");
  return SerialPort.list();
}

function toPortInfo(port: ListedPort): PortInfo {
  return describe(
    port.path,
    {
      ...numeric("vendorId", port.vendorId),
      ...numeric("productId", port.productId),
      ...optional({ serialNumber: port.serialNumber || undefined }),
    },
    port.manufacturer,
  );
}

function describe(portPath: string, usb: UsbIdentity, fallback: string | undefined): PortInfo {
  const isEspressif = usb.vendorId === ESPRESSIF;
  const name =
    KNOWN[usbIds(usb)] ??
    (fallback && visible(fallback)) ??
    (isEspressif ? "Espressif USB device" : "USB serial port");
  const { vendorId, productId, serialNumber } = usb;
  return {
    path: portPath,
    name,
    isEspressif,
    ...(vendorId === undefined ? {} : { vendorId, vid: hex4(vendorId) }),
    ...(productId === undefined ? {} : { productId, pid: hex4(productId) }),
    ...(serialNumber === undefined ? {} : { serialNumber }),
  };
}

function numeric(key: "vendorId" | "productId", text: string | undefined): UsbIdentity {
  const value = Number.parseInt(text ?? "", 16);
  return Number.isNaN(value) ? {} : { [key]: value };
}

function listFromSysfs(root: string): PortInfo[] {
  return listFolder(path.join(root, "sys/class/tty"))
    .filter((name) => /^tty(USB|ACM)\d+$/.test(name))
    .flatMap((name) => {
      const usb = readSysfsPort(`/dev/${name}`, root);
      return usb ? [describe(`/dev/${name}`, usb, usb.product)] : [];
    });
}

/** Climbs from the tty's device to the USB device that carries the ids. */
function readSysfsPort(
  portPath: string,
  root: string,
): (UsbIdentity & { product?: string }) | undefined {
  let directory: string;
  try {
    // A stable name such as /dev/serial/by-id/… is a link to the tty.
    const real = root === "/" ? realpathSync(portPath) : portPath;
    directory = realpathSync(path.join(root, "sys/class/tty", path.basename(real), "device"));
  } catch {
    return undefined;
  }
  const MAX_CLIMB = 6;
  for (let step = 0; step < MAX_CLIMB; step++, directory = path.dirname(directory)) {
    const vendor = readAttribute(directory, "idVendor");
    if (vendor === undefined) continue;
    const serialNumber = readAttribute(directory, "serial");
    const product = readAttribute(directory, "product");
    return {
      ...numeric("vendorId", vendor),
      ...numeric("productId", readAttribute(directory, "idProduct")),
      ...optional({ serialNumber: serialNumber || undefined, product: product || undefined }),
    };
  }
  return undefined;
}

function readAttribute(directory: string, name: string): string | undefined {
  try {
    return readFileSync(path.join(directory, name), "utf8").trim();
  } catch {
    return undefined;
  }
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, "0");
}

/** One board, by whatever names it is called: the loader cannot talk to two of us at once. */
export function distinctPorts(ports: readonly string[]): string[] {
  const byFile = new Map<string, string>();
  for (const port of ports) {
    const file = existsSync(port) ? realpathSync(port) : port;
    if (!byFile.has(file)) byFile.set(file, port);
  }
  return [...byFile.values()];
}
