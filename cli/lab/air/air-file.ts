import { pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { listFolder } from "../../files/files.js";
import { readJson } from "../../files/json.js";
import { isProcessAlive } from "../../processes/alive.js";

/**
 * The lab's air as files: `air.json` holds the networks in range and `aps/<mac>.json` one announced
 * SoftAP per running virtual board. The firmware's host port, the lab and the `virtual` WiFi adapter
 * all read the same two shapes; this file is their one definition on the TypeScript side.
 */
export const AIR_FILE = "air.json";
export const APS_FOLDER = "aps";

/** IEEE 802.11: an SSID has 1 to 32 bytes. */
const ssidSchema = z.string().refine((ssid) => isBetween(Buffer.byteLength(ssid), 1, 32), {
  message: "expected an SSID of 1 to 32 bytes",
});

/** IEEE 802.11i H.4: a passphrase has 8 to 63 characters; 64 hex digits are the PMK itself. */
const pskSchema = z
  .string()
  .refine((psk) => isBetween(Buffer.byteLength(psk), 8, 63) || /^[0-9a-fA-F]{64}$/.test(psk), {
    message: "expected 8 to 63 bytes, or 64 hex digits",
  });

const networkFaultsSchema = z.strictObject({
  /** The association succeeds, but no DHCP server answers. */
  no_dhcp: z.boolean().optional(),
  /** Every association ends with this disconnect reason (IEEE 802.11 table 9-49, or ESP-IDF's 200 and up). */
  reject_reason: z.int().min(1).max(255).optional(),
  /** The first n associations end with reason 2 (authentication expired). */
  fail_first: z.int().min(0).optional(),
  /** The network drops the station this long after it got its address. */
  drop_after_ms: z.int().min(0).optional(),
  /** Host names do not resolve. */
  dns_fail: z.boolean().optional(),
});

export const airNetworkSchema = z.strictObject({
  ssid: ssidSchema,
  psk: pskSchema.nullable(),
  rssi: z.int().min(-127).max(0),
  channel: z.int().min(1).max(14),
  auth: z.enum(["wpa2", "wpa3", "wpa2wpa3", "wpa", "wep", "open"]),
  hidden: z.boolean().optional(),
  faults: networkFaultsSchema.optional(),
});

const airFaultsSchema = z.strictObject({
  /** No time server answers. */
  sntp_blocked: z.boolean().optional(),
  /** The SoftAP goes dead the moment the station starts to connect. */
  ap_vanish_on_connect: z.boolean().optional(),
  /** `METHOD /path` of the calls on which the board acts but answers nothing. */
  lose_replies: z.array(z.string()).optional(),
});

export const airSchema = z.strictObject({
  networks: z.array(airNetworkSchema),
  faults: airFaultsSchema.optional(),
});

/**
 * A SoftAP that a running virtual board announces. Written by the firmware, possibly a newer one than ours: unknown fields
 * are ignored.
 */
const announcedApSchema = z
  .object({
    ssid: z.string(),
    /** `aa:bb:cc:dd:ee:ff` */
    bssid: z.string(),
    channel: z.int(),
    auth: z.string(),
    /** Pairwise master key as hex; null on an open AP. */
    pmk: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .nullable(),
    /** For those who proved the password. */
    base_url: z.string(),
    pid: z.int().positive(),
  })
  .transform(({ base_url: baseUrl, ...ap }) => ({ ...ap, baseUrl }));

export type AirNetwork = z.infer<typeof airNetworkSchema>;
export type Air = z.infer<typeof airSchema>;
export type AnnouncedAp = Readonly<z.infer<typeof announcedApSchema>>;

/** The SoftAPs that live boards announce in `airDir`, sorted by SSID; leftovers of dead boards are ignored. */
export function listAnnouncedAps(airDir: string): AnnouncedAp[] {
  const folder = join(airDir, APS_FOLDER);
  return listFolder(folder)
    .filter((name) => /^[0-9a-f]{12}\.json$/i.test(name))
    .map((name) => readAnnouncedAp(join(folder, name)))
    .filter((ap) => ap !== null)
    .sort((a, b) => a.ssid.localeCompare(b.ssid) || a.bssid.localeCompare(b.bssid));
}

/**
 * The SoftAP announced in `file`; null when it is gone, unreadable or left over from a dead process.
 * Files are replaced atomically, so an unreadable one is never a half-written one.
 */
export function readAnnouncedAp(file: string): AnnouncedAp | null {
  const parsed = announcedApSchema.safeParse(readJson(file));
  return parsed.success && isProcessAlive(parsed.data.pid) ? parsed.data : null;
}

/** The WPA2 pairwise master key as hex: PBKDF2-HMAC-SHA1, 4096 rounds, 256 bits (IEEE 802.11 J.4). */
export function computePmk(passphrase: string, ssid: string): string {
  return pbkdf2Sync(passphrase, ssid, 4096, 32, "sha1").toString("hex");
}

/** Whether `password` opens `ap`; null stands for "no password", which only an open AP accepts. */
export function passwordOpensAp(ap: AnnouncedAp, password: string | null): boolean {
  if (ap.pmk === null) return password === null || password === "";
  if (password === null) return false;
  const given = Buffer.from(computePmk(password, ap.ssid), "hex");
  return timingSafeEqual(given, Buffer.from(ap.pmk, "hex"));
}

function isBetween(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}
