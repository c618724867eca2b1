import { execFile } from "node:child_process";
import { type KeyObject, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildProject } from "../helpers/cmake.js";
import { type Credentials, DEVICE_ID } from "./rig.js";

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const BUILD = join(REPOSITORY, ".cache", "attack", "nvs-dump");
const VERSION = 1;
/** Of a record of certificates that holds DER; `certificate_record.c` says what it is like. */
const CERTIFICATES_VERSION = 2;
const SENT = 1;
const TRUSTED = 2;

/** What the firmware remembers: the texts of each record of the namespace `device_config`, by key; certificates as PEM. */
export type Records = ReadonlyMap<string, readonly string[]>;

/** Builds the programs that print, fill and change an NVS; the values are the test's own, so they may be seen. */
export async function buildNvsTools(): Promise<void> {
  const targets = ["nvs_dump", "nvs_fill", "nvs_put"];
  await buildProject(join(REPOSITORY, "test/firmware/nvs"), BUILD, { targets });
}

/** Reads a flash image as the next boot would, without changing it. @throws when a record is malformed */
export async function readRecords(flashPath: string): Promise<Records> {
  const { stdout } = await run(join(BUILD, "nvs_dump"), [flashPath]);
  const records = new Map<string, readonly string[]>();
  for (const line of stdout.split("\n")) {
    const [namespace, key = "", type, value = ""] = line.split("\t");
    if (namespace !== "device_config" || type !== "42" || key === "clock") continue;
    records.set(key, textsOf(key, Buffer.from(value, "hex")));
  }
  return records;
}

/** What the board keeps of the time for its next boot, in Unix seconds; zeros when it keeps nothing. */
export async function readClock(flashPath: string): Promise<{ time: number; anchor: number }> {
  const { stdout } = await run(join(BUILD, "nvs_dump"), [flashPath]);
  const value = /^device_config\tclock\t42\t([0-9a-f]+)$/m.exec(stdout)?.[1];
  const bytes = Buffer.from((value ?? "").padEnd(32, "0"), "hex");
  return { time: Number(bytes.readBigInt64LE(0)), anchor: Number(bytes.readBigInt64LE(8)) };
}

/** Leaves about `leave` bytes of the NVS for the firmware; the board must be off. */
export async function fillNvs(flashPath: string, leave: number): Promise<void> {
  await run(join(BUILD, "nvs_fill"), [flashPath, String(leave)]);
}

/** Replaces a record by texts, which is how 0.1.0 keeps certificates too; the board must be off. */
export async function putRecord(
  flashPath: string,
  key: string,
  texts: readonly string[],
): Promise<void> {
  const fields = texts.flatMap((text) => {
    const size = Buffer.alloc(2);
    size.writeUInt16LE(Buffer.byteLength(text) + 1);
    return [size, Buffer.from(`${text}\0`)];
  });
  const written = run(join(BUILD, "nvs_put"), [flashPath, key]);
  written.child.stdin?.end(Buffer.concat([Buffer.from([VERSION]), ...fields]));
  await written;
}

function textsOf(key: string, record: Buffer): string[] {
  if (record[0] === CERTIFICATES_VERSION) return certificatesOf(key, record);
  if (record[0] !== VERSION) throw new Error(`${key}: not a record of version ${VERSION}`);
  const texts: string[] = [];
  let at = 1;
  while (at < record.length) {
    const size = record.readUInt16LE(at);
    const text = record.subarray(at + 2, at + 2 + size);
    if (text.length !== size || text.at(-1) !== 0) throw new Error(`${key}: a torn text`);
    texts.push(text.subarray(0, -1).toString());
    at += 2 + size;
  }
  return texts;
}

/** The PEM of those that the board shows, and of those that it trusts. */
function certificatesOf(key: string, record: Buffer): [sent: string, trusted: string] {
  const pem = { [SENT]: "", [TRUSTED]: "" };
  let at = 1;
  while (at < record.length) {
    const roles = record.readUInt8(at);
    const size = record.readUInt16LE(at + 1);
    const der = record.subarray(at + 3, at + 3 + size);
    if (der.length !== size) throw new Error(`${key}: a torn certificate`);
    const text = new X509Certificate(der).toString();
    for (const role of [SENT, TRUSTED] as const) if ((roles & role) !== 0) pem[role] += text;
    at += 3 + size;
  }
  return [pem[SENT], pem[TRUSTED]];
}

/** What must be true of the records, whenever the power went. */
export interface Expectation {
  readonly deviceKey: KeyObject;
  /** Oldest first. */
  readonly attempts: readonly Credentials[];
  /** How many of the attempts the device has answered with 200. */
  readonly answered: number;
  /** A certificate has been stored and is to stay. */
  readonly isEnrolled: boolean;
}

/** Every way in which the records are not one of the states between two steps; empty when all is well. */
export function inconsistencies(records: Records, expected: Expectation): string[] {
  const { attempts, answered, isEnrolled, deviceKey } = expected;
  const faults: string[] = [];
  const [ssid, password, token, bearer, attemptId] = records.get("pending") ?? [];
  const wifi = records.get("wifi");
  const enrol = records.get("enrol");
  const pending = attempts.findIndex((each) => each.attemptId === attemptId);
  const proven = attempts.findIndex((each) => each.ssid === wifi?.[0]);
  const enrolled = attempts.findIndex((each) => each.attemptId === enrol?.[2]);

  if (records.has("pending")) {
    const { ssid: s, password: p, token: t, bearer: b } = attempts[pending] ?? {};
    if (ssid !== s || password !== p || token !== t || bearer !== b)
      faults.push("pending is no attempt that was made");
  }
  if (wifi !== undefined && wifi[1] !== attempts[proven]?.password)
    faults.push("wifi has the name of one network and the password of another");
  if (enrol !== undefined && enrol[1] !== attempts[enrolled]?.bearer)
    faults.push("enrol mixes two attempts");
  if (enrol !== undefined && enrol[0] !== "" && enrol[0] !== attempts[enrolled]?.token)
    faults.push("enrol holds a foreign token");
  if (pending < 0 && proven !== enrolled) faults.push("wifi and enrol are of two attempts");

  const hasCertificate = records.has("crt") || records.has("crt_new");
  if (isEnrolled && !hasCertificate) faults.push("the certificate is lost");
  if (pending < 0 && wifi !== undefined && enrol?.[0] === "" && !hasCertificate)
    faults.push("neither a token nor a certificate is left");
  if (Math.max(pending, proven) < answered - 1) faults.push("an answered attempt is forgotten");
  for (const key of ["crt", "crt_new"] as const)
    faults.push(...certificateFaults(key, records.get(key), deviceKey));
  return faults;
}

function certificateFaults(
  key: string,
  texts: readonly string[] | undefined,
  deviceKey: KeyObject,
): string[] {
  if (texts === undefined) return [];
  const [certificatePem = "", caPem = ""] = texts;
  const certificate = new X509Certificate(certificatePem);
  const isOurs =
    certificate.checkPrivateKey(deviceKey) && certificate.subject === `CN=${DEVICE_ID}`;
  const isSigned = certificate.verify(new X509Certificate(caPem).publicKey);
  return isOurs && isSigned ? [] : [`${key} is not a certificate of this device`];
}

/** The attempt that the device works on, or has finished; undefined when it knows of none. */
export function inEffect(
  records: Records,
  attempts: readonly Credentials[],
): Credentials | undefined {
  const ssid = (records.get("pending") ?? records.get("wifi"))?.[0];
  return attempts.find((each) => each.ssid === ssid);
}

/** What a device that has finished holds: one network, one certificate, nothing half done. */
export function unfinished(records: Records, last: Credentials): string[] {
  const wifi = records.get("wifi");
  const enrol = records.get("enrol");
  const faults: string[] = [];
  if (wifi?.[0] !== last.ssid) faults.push("it is on another network than it was told");
  if (enrol?.[2] !== last.attemptId) faults.push("it has finished another attempt");
  if (enrol?.[0] !== "") faults.push("the spent token is still there");
  if (records.has("pending")) faults.push("pending is left");
  if (!records.has("crt") || records.has("crt_new")) faults.push("the certificate is not active");
  return faults;
}
