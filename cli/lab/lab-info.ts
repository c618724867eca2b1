import { rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { replaceFile } from "../files/files.js";
import { readJson } from "../files/json.js";
import { PROV_FOLDER } from "../files/private-dir.js";

const identitySchema = z.object({
  certPath: z.string(),
  keyPath: z.string(),
  caPath: z.string(),
});

/** `halted`: powered, but nothing that could run (or nothing that would stay up). */
export const boardStateSchema = z.enum(["off", "running", "download", "halted"]);
export type BoardState = z.infer<typeof boardStateSchema>;

/** What other processes need to know about a running lab. No token and no key is in it, only paths. */
export const labInfoSchema = z.object({
  name: z.string(),
  pid: z.int().positive(),
  deviceIds: z.array(z.string()),
  backend: z.object({ url: z.string(), caPath: z.string() }),
  broker: z.object({
    kind: z.enum(["embedded", "mosquitto"]),
    uri: z.string(),
    caPath: z.string(),
  }),
  /** The MQTT identity with which prov reads every device's topics. */
  operator: identitySchema,
  /** Another one that may read them, for whoever looks on beside prov: mosquitto gives each one connection. */
  spectator: identitySchema,
  board: z.object({
    chip: z.string(),
    /** Base MAC, 12 hex digits. */
    mac: z.string(),
    /** Its serial port, null for a chip whose ROM loader the virtual board does not speak. */
    tty: z.string().nullable(),
    /** The Unix socket that stands for the port's DTR and RTS. */
    modemSocket: z.string().nullable(),
  }),
  airDir: z.string(),
  /** The lab's control socket (HTTP). */
  controlSocket: z.string(),
});

export type LabInfo = z.infer<typeof labInfoSchema>;

/** Where the lab `name` of a project keeps everything. */
export function labDir(projectRoot: string, name: string): string {
  return join(projectRoot, PROV_FOLDER, "lab", name);
}

export function writeLabInfo(dir: string, info: LabInfo): void {
  replaceFile(join(dir, "lab.json"), `${JSON.stringify(info, null, 2)}\n`);
}

/** What the lab in `dir` says about itself, or null. Whether it still runs is another question. */
export function readLabInfo(dir: string): LabInfo | null {
  return labInfoSchema.safeParse(readJson(join(dir, "lab.json"))).data ?? null;
}

export function removeLabInfo(dir: string): void {
  rmSync(join(dir, "lab.json"), { force: true });
}

const portsSchema = z.object({
  backend: z.int().min(1).max(65_535),
  broker: z.int().min(1).max(65_535),
});

/** The ports of the last run: keeping them means that nobody's firmware has to be built again. */
export function readLastPorts(dir: string): z.infer<typeof portsSchema> | null {
  return portsSchema.safeParse(readJson(join(dir, "ports.json"))).data ?? null;
}

export function writeLastPorts(dir: string, ports: z.infer<typeof portsSchema>): void {
  replaceFile(join(dir, "ports.json"), `${JSON.stringify(ports)}\n`);
}
