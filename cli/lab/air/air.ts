import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ProvError } from "../../errors.js";
import { replaceFile } from "../../files/files.js";
import { ensurePrivateDir } from "../../files/private-dir.js";
import { AIR_FILE, type Air, type AirNetwork, APS_FOLDER, airSchema } from "./air-file.js";

/** The network that a lab's board is meant to join; its password is public, it opens nothing real. */
export const HOME_NETWORK = {
  ssid: "Home",
  psk: "secret-pass",
  rssi: -50,
  channel: 6,
  auth: "wpa2",
} as const satisfies AirNetwork;

/** What is in range of a new lab: a home, an open network and neighbours of each kind. */
export const DEFAULT_AIR: Air = {
  networks: [
    { ...HOME_NETWORK },
    { ssid: "Café Größe", psk: null, rssi: -67, channel: 1, auth: "open" },
    { ssid: "Neighbour's WLAN", psk: "another-password", rssi: -74, channel: 11, auth: "wpa2wpa3" },
    { ssid: "Upstairs", psk: "upstairs-password", rssi: -88, channel: 3, auth: "wpa3" },
  ],
};

/** Makes `airDir` ready for boards; an air that is already there stays, unless `air` replaces it. */
export function prepareAir(airDir: string, air?: Air): void {
  ensurePrivateDir(airDir);
  ensurePrivateDir(join(airDir, APS_FOLDER));
  if (air !== undefined || !hasAir(airDir)) writeAir(airDir, air ?? DEFAULT_AIR);
}

/** Validates and replaces the air at once; boards see it at their next scan or connection. */
export function writeAir(airDir: string, air: Air): void {
  const valid = checkAir(air, "the air");
  replaceFile(join(airDir, AIR_FILE), `${JSON.stringify(valid, null, 2)}\n`);
}

export function readAir(airDir: string): Air {
  const file = join(airDir, AIR_FILE);
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new ProvError("lab_failed", `cannot read ${file}`, { cause });
  }
  return checkAir(raw, file);
}

/** Takes a dead board's announcement away; a live board removes its own. */
export function forgetAnnouncement(airDir: string, apMac: string): void {
  rmSync(join(airDir, APS_FOLDER, `${apMac.replaceAll(":", "")}.json`), { force: true });
}

function checkAir(raw: unknown, what: string): Air {
  const parsed = airSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new ProvError("lab_failed", `${what} is not valid: ${issues.join("; ")}`);
}

function hasAir(airDir: string): boolean {
  try {
    readAir(airDir);
    return true;
  } catch {
    return false;
  }
}
