import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { UsbIdentity } from "../../cli/serial/link.js";
import { parseNetworkSpec } from "../../cli/serial/link.js";
import { openPort } from "../../cli/serial/open-port.js";
import {
  chooseOnlyPort,
  distinctPorts,
  findPortOf,
  identifyPort,
  listPorts,
} from "../../cli/serial/ports.js";
import { temporaryDir } from "../helpers/project.js";
import { served } from "../helpers/served.js";

const jtag = {
  path: "/dev/ttyACM0",
  vendorId: "303A",
  productId: "1001",
  serialNumber: "7C:DF:A1",
};
const bridge = { path: "/dev/ttyUSB0", vendorId: "10c4", productId: "ea60" };
const builtIn = { path: "/dev/ttyS0" };
const listing = (...ports: { path: string }[]) => ({ list: async () => ports });

/** A /sys with one USB-Serial-JTAG and one CH340, as Linux lays it out. */
function fakeSysfs(): string {
  const root = temporaryDir();
  const add = (tty: string, usbPath: string, attributes: Record<string, string>): void => {
    const usb = path.join(root, "sys/devices/usb1", usbPath);
    const owner = path.join(usb, `${usbPath}:1.0`, tty);
    mkdirSync(owner, { recursive: true });
    for (const [name, value] of Object.entries(attributes))
      writeFileSync(path.join(usb, name), `${value}\n`);
    mkdirSync(path.join(root, "sys/class/tty", tty), { recursive: true });
    symlinkSync(owner, path.join(root, "sys/class/tty", tty, "device"));
  };
  add("ttyUSB0", "1-2", { idVendor: "1a86", idProduct: "7523" });
  add("ttyACM3", "1-3", { idVendor: "303a", idProduct: "1001", serial: "7C:DF:A1:00:11:22" });
  mkdirSync(path.join(root, "sys/class/tty/ttyS0"), { recursive: true });
  add("ttyUSB4", "1-4", { idVendor: "10c4", idProduct: "ea60", serial: "0001" });
  add("ttyUSB5", "1-5", { idVendor: "10c4", idProduct: "ea60", serial: "0001" });
  return root;
}

describe("listing", () => {
  it("names USB ports, Espressif's first, and leaves built-in ones out", async () => {
    const ports = await listPorts(listing(builtIn, bridge, jtag));
    expect(ports).toEqual([
      {
        path: "/dev/ttyACM0",
        name: "Espressif USB-Serial-JTAG",
        isEspressif: true,
        vendorId: 0x303a,
        vid: "303a",
        productId: 0x1001,
        pid: "1001",
        serialNumber: "7C:DF:A1",
      },
      expect.objectContaining({
        name: "Silicon Labs CP210x UART bridge",
        isEspressif: false,
        vid: "10c4",
      }),
    ]);
  });

  it("write out what a device's name would do to a terminal", async () => {
    const list = async () => [
      { ...bridge, productId: "ffff", manufacturer: "a\n::error::b\u001b[2J\u202e" },
    ];
    const [port] = await listPorts({ list });
    expect(port?.name).toBe("a\\u{a}::error::b\\u{1b}[2J\\u{202e}");
  });

  it("reads sysfs where udevadm is missing", async () => {
    const list = () => Promise.reject(new Error("spawn udevadm ENOENT"));
    const ports = await listPorts({ list, root: fakeSysfs() });
    expect(ports).toEqual([
      expect.objectContaining({
        path: "/dev/ttyACM3",
        isEspressif: true,
        serialNumber: "7C:DF:A1:00:11:22",
      }),
      expect.objectContaining({ path: "/dev/ttyUSB0", name: "WCH CH340 UART bridge" }),
      expect.objectContaining({ path: "/dev/ttyUSB4" }),
      expect.objectContaining({ path: "/dev/ttyUSB5" }),
    ]);
    expect(await listPorts({ list, root: "/nonexistent" })).toEqual([]);
  });

  it("finds a device again by its serial number", async () => {
    const usb = { vendorId: 0x303a, productId: 0x1001, serialNumber: "7C:DF:A1" };
    const find = (identity: UsbIdentity, ...ports: { path: string }[]) =>
      findPortOf(identity, jtag.path, listing(...ports));
    expect(await find(usb, bridge, { ...jtag, path: "/dev/ttyACM7" })).toBe("/dev/ttyACM7");
    expect(await find(usb, bridge)).toBeUndefined();
    expect(await find({ ...usb, productId: 0x1002 }, jtag)).toBeUndefined();
    expect(await find({ vendorId: 0x303a }, jtag)).toBeUndefined();
  });

  it("takes none but the old name for a device whose serial number others have too", async () => {
    const usb = { vendorId: 0x10c4, productId: 0xea60, serialNumber: "0001" };
    const at = (path: string) => ({ ...bridge, path, serialNumber: "0001" });
    const both = listing(at("/dev/ttyUSB0"), at("/dev/ttyUSB1"));
    expect(await findPortOf(usb, "/dev/ttyUSB1", both)).toBe("/dev/ttyUSB1");
    expect(await findPortOf(usb, "/dev/ttyUSB0", both)).toBe("/dev/ttyUSB0");
    expect(await findPortOf(usb, "/dev/ttyUSB2", both)).toBeUndefined();
  });
});

describe.runIf(process.platform === "linux")("identifying", () => {
  const sources = {
    list: () => Promise.reject(new Error("spawn udevadm ENOENT")),
    root: fakeSysfs(),
  };

  it("tells the USB device behind a port", async () => {
    expect(await identifyPort("/dev/ttyACM3", sources)).toMatchObject({
      vendorId: 0x303a,
      productId: 0x1001,
      serialNumber: "7C:DF:A1:00:11:22",
    });
    expect(await identifyPort("socket://host:1", sources)).toEqual({});
  });

  // Once its port is gone, the only one with that serial number would be the other board.
  it("leaves a serial number out that another port has too", async () => {
    expect(await identifyPort("/dev/ttyUSB5", sources)).toEqual({
      vendorId: 0x10c4,
      productId: 0xea60,
    });
  });
});

describe("choosing", () => {
  const choose = async (...ports: { path: string }[]) =>
    chooseOnlyPort(await listPorts(listing(...ports)));

  it("takes the only Espressif device, whatever else is connected", async () => {
    expect((await choose(bridge, jtag)).path).toBe("/dev/ttyACM0");
  });

  it("does not guess", async () => {
    const second = { ...jtag, path: "/dev/ttyACM1" };
    await expect(choose(jtag, second)).rejects.toMatchObject({ code: "port_ambiguous" });
    await expect(choose(bridge)).rejects.toMatchObject({ code: "port_ambiguous" });
    await expect(choose(builtIn)).rejects.toMatchObject({ code: "port_not_found" });
  });
});

describe("opening", () => {
  it.each([
    "socket://",
    "socket://host",
    "socket://:80",
    "rfc2217://host:0",
    "socket://host:99999",
  ])("refuses %s as a URL", async (spec) => {
    await expect(openPort(spec)).rejects.toMatchObject({ code: "usage" });
  });

  it("reads URLs", () => {
    expect(parseNetworkSpec("rfc2217://lab-7.example:4000")).toEqual({
      protocol: "rfc2217",
      host: "lab-7.example",
      port: 4000,
    });
    expect(parseNetworkSpec("socket://[::1]:23")).toMatchObject({
      protocol: "socket",
      host: "::1",
    });
  });

  it("tells a port that is not there", async () => {
    await expect(openPort("/dev/ttyNONE0")).rejects.toMatchObject({
      code: "port_not_found",
      exitCode: 5,
    });
    await expect(openPort("socket://127.0.0.1:1")).rejects.toMatchObject({
      code: "port_not_found",
    });
  });

  it("tells a server that does not speak RFC 2217", async () => {
    const server = createServer((socket) => socket.on("data", () => {}).on("error", () => {}));
    await expect(openPort(`rfc2217://127.0.0.1:${await served(server)}`)).rejects.toMatchObject({
      code: "port_not_found",
    });
  });
});

it("a port that is named twice, by whatever names, is one", () => {
  const dir = temporaryDir();
  const tty = path.join(dir, "ttyACM0");
  writeFileSync(tty, "");
  symlinkSync(tty, path.join(dir, "by-id"));
  const remote = "socket://127.0.0.1:7";
  const given = [tty, path.join(dir, "by-id"), remote, `${dir}/./ttyACM0`, "COM3", "COM3", remote];
  expect(distinctPorts(given)).toEqual([tty, remote, "COM3"]);
});
