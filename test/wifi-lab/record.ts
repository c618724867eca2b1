import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { runCommand, SECRET_PATH } from "../../cli/wifi/command.js";
import { AP_FIELDS, DEVICE_FIELDS, passwdFileLine } from "../../cli/wifi/nmcli-parse.js";
import {
  atHome,
  createRadios,
  HOME_PROFILE,
  LAPTOP_IFACE,
  type RunningAp,
  startBoardAp,
  startHomeAp,
  startNetworkManager,
} from "./air.js";
import { must, run, until } from "./shell.js";

/**
 * Run in the VM (`node scripts/wifi-lab/run.mjs record`): records what the real nmcli answers, as
 * fixtures for the unit tests of the parsers. The result lands in .cache/wifi-lab/job/nmcli.
 */
const OUT = "/job/nmcli";
const BOARD = { ssid: "ESP32-Prov-A1B2C3", psk: "prov12345678", channel: 1, dhcp: true };
/** 32 bytes: colon, backslash, quotes straight and curly, accent, emoji, a space at each end. */
const ODD_SSID = " a:b\\c'd’e\"f é🎉%20$HOM `x ";
const PSK = "802-11-wireless-security.psk";
const TERSE = ["-t", "-e", "yes", "-f"];

interface Recorded {
  code: number;
  stdout: string;
  stderr: string;
}

async function record(name: string, args: string[], secret?: string): Promise<Recorded> {
  const started = performance.now();
  const command = { file: "nmcli", args };
  const outcome = await runCommand(secret === undefined ? command : { ...command, secret });
  save(name, args, outcome, (performance.now() - started) / 1000);
  return outcome;
}

function save(name: string, args: string[], outcome: Recorded, seconds: number): void {
  const fixture = { args, ...outcome };
  writeFileSync(`${OUT}/${name}.json`, `${JSON.stringify(fixture, null, 2)}\n`);
  const detail = JSON.stringify(outcome.stderr.trim() || outcome.stdout.trim().slice(0, 150));
  process.stdout.write(`${name}: rc ${outcome.code} ${seconds.toFixed(1)} s ${detail}\n`);
}

const profile = (name: string, ssid: string) => [
  ...["connection", "add", "save", "no", "type", "wifi", "con-name", name, "ifname", LAPTOP_IFACE],
  ...["autoconnect", "no", "ssid", ssid, "ipv4.method", "auto", "ipv4.may-fail", "no"],
  ...["ipv4.dhcp-timeout", "15", "ipv4.never-default", "yes", "ipv4.ignore-auto-dns", "yes"],
  ...["ipv4.ignore-auto-routes", "yes", "ipv6.method", "disabled"],
  ...["wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk-flags", "2"],
];
const list = [
  ...TERSE,
  AP_FIELDS,
  "device",
  "wifi",
  "list",
  "ifname",
  LAPTOP_IFACE,
  "--rescan",
  "no",
];
const devices = [...TERSE, DEVICE_FIELDS, "device", "status"];
const up = (name: string, waitS = 45) => [
  "-w",
  String(waitS),
  "connection",
  "up",
  "id",
  name,
  "ifname",
  LAPTOP_IFACE,
];
const withSecret = (args: string[]) => [...args, "passwd-file", SECRET_PATH];
const goHome = ["-w", "30", "connection", "up", "uuid", HOME_PROFILE.uuid, "ifname", LAPTOP_IFACE];

async function seen(ssid: string): Promise<void> {
  const hex = Buffer.from(ssid).toString("hex").toUpperCase();
  await until(`${ssid} in the list`, 60, async () => {
    await run("nmcli", "device", "wifi", "rescan", "ifname", LAPTOP_IFACE);
    return (await run("nmcli", ...list)).stdout.includes(hex) ? true : undefined;
  });
}

async function joinAndLeave(): Promise<void> {
  await record("add", profile("prov-temporary-00000001", BOARD.ssid));
  await record(
    "up-wrong-password",
    withSecret(up("prov-temporary-00000001")),
    passwdFileLine(PSK, "prov12345679"),
  );
  await record("up-no-password", up("prov-temporary-00000001"));
  await record(
    "up-timeout",
    withSecret(up("prov-temporary-00000001", 1)),
    passwdFileLine(PSK, BOARD.psk),
  );
  await record("up", withSecret(up("prov-temporary-00000001")), passwdFileLine(PSK, BOARD.psk));
  await record("list-joined", list);
  await record("devices-joined", devices);
  await record("show-joined", [...TERSE, "IP4,DHCP4", "device", "show", LAPTOP_IFACE]);
  await record("resolvers-routes", [
    "-t",
    "-f",
    "IP4",
    "connection",
    "show",
    "prov-temporary-00000001",
  ]);
  process.stdout.write(
    await must(
      "sh",
      "-c",
      "ls -la /run/NetworkManager/system-connections /etc/NetworkManager/system-connections; cat /run/NetworkManager/system-connections/prov*",
    ),
  );
  await record("up-home", goHome);
  await record("delete", ["connection", "delete", "id", "prov-temporary-00000001"]);
  await record("delete-unknown", ["connection", "delete", "id", "prov-temporary-00000001"]);
  await record("up-unknown", up("prov-temporary-00000001"));
}

async function oddSsid(): Promise<void> {
  const board = await startBoardAp({ ...BOARD, ssid: ODD_SSID, psk: " pass \\134:word " });
  await seen(ODD_SSID);
  await record("list-odd-ssid", list);
  await record("list-odd-ssid-text", [...TERSE, "SSID,BSSID", "device", "wifi", "list"]);
  await record("add-odd-ssid", profile("prov-temporary-00000002", ODD_SSID));
  await record(
    "up-odd-ssid",
    withSecret(up("prov-temporary-00000002")),
    passwdFileLine(PSK, " pass \\134:word "),
  );
  await record("up-home-again", goHome);
  await record("delete-odd-ssid", ["connection", "delete", "id", "prov-temporary-00000002"]);
  await board.stop();
}

async function brokenBoards(): Promise<void> {
  const silent = await startBoardAp({ ...BOARD, dhcp: false });
  await seen(BOARD.ssid);
  await run("nmcli", ...profile("prov-temporary-00000003", BOARD.ssid));
  await record(
    "up-no-dhcp",
    withSecret(up("prov-temporary-00000003")),
    passwdFileLine(PSK, BOARD.psk),
  );
  await silent.stop();
  await record(
    "up-gone",
    withSecret(up("prov-temporary-00000003")),
    passwdFileLine(PSK, BOARD.psk),
  );
  await run("nmcli", "connection", "delete", "id", "prov-temporary-00000003");
  await atHome(90);
}

async function brokenHost(): Promise<void> {
  await record("autoconnect-yes", [
    ...TERSE,
    "GENERAL.AUTOCONNECT",
    "device",
    "show",
    LAPTOP_IFACE,
  ]);
  await record("set-autoconnect", ["device", "set", LAPTOP_IFACE, "autoconnect", "no"]);
  await record("autoconnect-no", [...TERSE, "GENERAL.AUTOCONNECT", "device", "show", LAPTOP_IFACE]);
  await record("radio-on", [...TERSE, "WIFI-HW,WIFI", "radio"]);
  await run("nmcli", "radio", "wifi", "off");
  await record("radio-off", [...TERSE, "WIFI-HW,WIFI", "radio"]);
  await record("devices-radio-off", devices);
  await run("nmcli", "radio", "wifi", "on");
  await run("nmcli", "device", "set", LAPTOP_IFACE, "managed", "no");
  await record("devices-unmanaged", devices);
  await run("nmcli", "device", "set", LAPTOP_IFACE, "managed", "yes");
  await record("show-unknown-device", [...TERSE, "GENERAL.AUTOCONNECT", "device", "show", "wlan9"]);
  await record("rescan-unknown-device", ["device", "wifi", "rescan", "ifname", "wlan9"]);
  await asNobody("add-not-permitted", profile("prov-temporary-00000004", BOARD.ssid));
  await asNobody("up-not-permitted", goHome);
  await run("pkill", "-x", "NetworkManager");
  await until("NetworkManager stopped", 20, async () =>
    (await run("pgrep", "-x", "NetworkManager")).code === 1 ? true : undefined,
  );
  await record("devices-no-service", devices);
  await run("pkill", "-x", "dbus-daemon");
  await until("D-Bus stopped", 20, async () =>
    (await run("pgrep", "-x", "dbus-daemon")).code === 1 ? true : undefined,
  );
  await record("devices-no-dbus", devices);
}

/** A user without any rights; the VM has no polkit to ask. */
function asNobody(name: string, args: string[]): Promise<void> {
  const started = performance.now();
  return new Promise((resolve) => {
    execFile(
      "nmcli",
      args,
      { uid: 65534, gid: 65534, env: { ...process.env, LC_ALL: "C" } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        save(name, args, { code, stdout, stderr }, (performance.now() - started) / 1000);
        resolve();
      },
    );
  });
}

mkdirSync(OUT, { recursive: true });
await createRadios();
await startHomeAp();
const board: RunningAp = await startBoardAp(BOARD);
await startNetworkManager();
await record("devices-home", devices);
await record("permissions", [...TERSE, "PERMISSION,VALUE", "general", "permissions"]);
await seen(BOARD.ssid);
await record("list", list);
await joinAndLeave();
await board.stop();
await oddSsid();
await brokenBoards();
await brokenHost();
process.exit(0);
