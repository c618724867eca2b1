import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { deviceWorkspace } from "../../cli/config/workspace.js";
import { generateConfig } from "../../cli/flow/codegen.js";
import { makeKeys } from "../../cli/flow/keys.js";
import type { VirtualBoard } from "../../cli/lab/board/virtual-board.js";
import type { LabEvent } from "../../cli/lab/events.js";
import { startLab } from "../../cli/lab/lab.js";
import { labDir } from "../../cli/lab/lab-info.js";
import type { Lab } from "../../cli/lab/lab-types.js";
import { type CertificateAuthority, signCsr } from "../../cli/lab/pki/ca.js";
import { buildForHost } from "../../cli/lab/stages/build-host.js";
import { silent } from "../../cli/terminal/progress.js";
import type { KeyAlgorithm } from "../../codegen/manifest.js";
import { longer } from "../helpers/longer.js";
import { soundDevice } from "../helpers/manifest.js";
import { tail } from "./board-log.js";
import { buildVariant, type Variant } from "./variant.js";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
export const DEVICE_ID = "attacked";
/** The `nvs` partition of firmware/partitions.csv. */
const NVS = { offset: 0x9000, size: 0x6000 } as const;
const WAIT_MS = 60_000;

/** Everything that a person would wait for is as short as the firmware allows. */
const IMPATIENT = {
  CONFIG_PROV_CONNECT_DELAY_MS: 0,
  CONFIG_PROV_RECONNECT_MIN_MS: 100,
  CONFIG_PROV_RECONNECT_MAX_MS: 300,
  CONFIG_PROV_BACKEND_RETRY_MIN_MS: 10,
  CONFIG_PROV_BACKEND_RETRY_MAX_MS: 200,
  CONFIG_PROV_MQTT_RECONNECT_MIN_MS: 100,
  CONFIG_PROV_MQTT_RECONNECT_MAX_MS: 300,
  CONFIG_PROV_AP_LINGER_MS: 600_000,
} as const;

/** The two networks that a device under attack is sent to. */
const AIR = {
  networks: [
    { ssid: "Home-0", psk: "password-of-0", rssi: -50, channel: 6, auth: "wpa2" },
    { ssid: "Home-1", psk: "password-of-1", rssi: -55, channel: 6, auth: "wpa2" },
  ],
} as const;

/** One POST /provision. */
export interface Credentials {
  readonly ssid: string;
  readonly password: string;
  readonly token: string;
  readonly bearer: string;
  readonly attemptId: string;
}

export interface RigOptions {
  readonly sdkconfig?: Readonly<Record<string, number>>;
  /** Values that the manifest refuses, as menuconfig might have them: `CONFIG_X` and what C has for it. */
  readonly forced?: Readonly<Record<string, string>>;
  readonly wifi?: { readonly fallbackApSeconds: number };
  readonly certificateLifetimeMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly variant?: Variant;
  readonly key?: { readonly algorithm: KeyAlgorithm };
  /** Another backend than the lab's, with a certificate of the lab's CA. */
  readonly backend?: { readonly url: string };
  /** Another broker than the lab's, and what it wants beside the certificate. */
  readonly mqtt?: { readonly uri: string; readonly username?: string; readonly password?: string };
}

/** A lab whose board runs an impatient build of the firmware, in this very process. */
export interface Rig {
  readonly lab: Lab;
  readonly board: VirtualBoard;
  /** The host build, unstripped. */
  readonly elf: string;
  readonly deviceKey: KeyObject;
  /** Where the variant `heap` writes its peak, in bytes. */
  readonly heapFile: string;
  /** Credentials for network 0 or 1 with a token of their own. */
  credentials(network: number): Credentials;
  /** A good certificate of the device in the last tenth of its life, with the CA. */
  agedCertificate(): readonly [string, string];
  /** The NVS partition's bytes; the board must be off. */
  readNvs(): Buffer;
  writeNvs(bytes: Uint8Array): void;
  eraseNvs(): void;
  /** Resolves when the firmware runs. */
  powerOn(): Promise<void>;
  /** Waits until the AP answers; null when the board lost power first. */
  apUp(): Promise<string | null>;
  /** The status code of the answer; null when none came. */
  post(path: string, body: object, bearer?: string): Promise<Answer | null>;
  get(path: string): Promise<Answer | null>;
  provision(credentials: Credentials): Promise<Answer | null>;
  /** Call before what leads there: the next MQTT connection with a status message, or a power cut. */
  outcome(): Promise<"online" | "power_cut">;
  /** The next status message of whatever connection, or a power cut, be it past. */
  signOfLife(): Promise<"online" | "power_cut">;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** @param name the folder below .cache/attack: one rig at a time may use it */
export async function openRig(name: string, options: RigOptions = {}): Promise<Rig> {
  const root = join(REPOSITORY, ".cache", "attack", name);
  mkdirSync(root, { recursive: true });
  const heapFile = join(root, "heap-peak");
  const lab = await startLab({
    root: labDir(root, "lab"),
    deviceIds: [DEVICE_ID],
    air: { networks: AIR.networks.map((network) => ({ ...network })) },
    ...(options.certificateLifetimeMs === undefined
      ? {}
      : { certificateLifetimeMs: options.certificateLifetimeMs }),
    firmwareEnvironment: { PROV_HEAP_FILE: heapFile, ...options.environment },
  });
  try {
    const { image, deviceKey } = await buildImpatient(root, lab, options);
    const { variant } = options;
    lab.board.placeImage(variant ? await buildVariant(root, variant) : image.flasherArgs);
    return makeRig(lab, { elf: image.elf, deviceKey, heapFile });
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

async function buildImpatient(root: string, lab: Lab, options: RigOptions) {
  const { mqtt, backend, key, wifi, sdkconfig, forced } = options;
  const manifest = soundDevice({
    id: DEVICE_ID,
    target: "host",
    backend: { url: lab.backend.url, ca: lab.caPem, ...backend },
    mqtt: { uri: lab.broker.uri, statusIntervalSeconds: 1, ...mqtt },
    key: { ...key },
    sdkconfig: { ...IMPATIENT, CONFIG_PROV_BUTTON_GPIO: 9, ...sdkconfig },
    wifi: { ...wifi },
  });
  const identity = await makeKeys(root, manifest, false);
  const config = generateConfig(manifest, identity, deviceWorkspace(root, DEVICE_ID));
  force(join(config.dir, "sdkconfig.h"), forced ?? {});
  const image = await buildForHost({
    manifest,
    config,
    root,
    target: "host",
    chip: "esp32c3",
    clean: false,
    signal: new AbortController().signal,
    progress: silent,
  });
  return { image, deviceKey: createPrivateKey(identity.privateKeyPem) };
}

function force(header: string, forced: Readonly<Record<string, string>>): void {
  let text = readFileSync(header, "utf8");
  for (const [symbol, value] of Object.entries(forced)) {
    const line = new RegExp(`^#define ${symbol} .*$`, "m");
    if (!line.test(text)) throw new Error(`${header} has no ${symbol}`);
    text = text.replace(line, `#define ${symbol} ${value}`);
  }
  writeFileSync(header, text);
}

function makeRig(lab: Lab, built: Pick<Rig, "elf" | "deviceKey" | "heapFile">): Rig {
  const { board } = lab;
  const apUp = async (): Promise<string | null> => {
    const deadline = Date.now() + longer(WAIT_MS);
    while (board.state() !== "off") {
      const url = board.baseUrl();
      if (url !== null) return url;
      if (Date.now() > deadline) throw new Error(`no AP within ${WAIT_MS} ms\n${tail(board)}`);
      await delay(2);
    }
    return null;
  };
  /** A connection that broke is tried again, until the board is seen to be off. */
  const call = async (path: string, init: RequestInit): Promise<Answer | null> => {
    for (;;) {
      const base = await apUp();
      if (base === null) return null;
      try {
        const response = await fetch(`${base}${path}`, {
          ...init,
          signal: AbortSignal.timeout(longer(WAIT_MS)),
        });
        return { status: response.status, body: (await response.json()) as Answer["body"] };
      } catch (error) {
        if (error instanceof Error && error.name === "TimeoutError") return null;
        await delay(2);
      }
    }
  };
  const post = (path: string, body: object, bearer = ""): Promise<Answer | null> => {
    const authorization = bearer === "" ? {} : { authorization: `Bearer ${bearer}` };
    return call(path, {
      method: "POST",
      headers: { "content-type": "application/json", ...authorization },
      body: JSON.stringify(body),
    });
  };
  return {
    lab,
    board,
    ...built,
    credentials: (network) => credentialsFor(lab, network),
    agedCertificate: () => agedCertificate(lab, built.deviceKey),
    readNvs: () => board.flash.read(NVS.offset, NVS.size),
    writeNvs: (bytes) => board.flash.write(NVS.offset, bytes),
    eraseNvs: () => board.flash.erase(NVS.offset, NVS.size),
    powerOn: async () => {
      const booted = lab.events.waitFor((event) => event.what === "boot", { futureOnly: true });
      await board.powerOn();
      await booted;
    },
    apUp,
    post,
    get: (path) => call(path, {}),
    provision: async (credentials) => {
      for (;;) {
        const answer = await post("/provision", requestOf(credentials), credentials.bearer);
        if (answer?.body.code !== "busy") return answer; // while it boots, it is
        await delay(2);
      }
    },
    outcome: () => outcome(lab, false),
    signOfLife: async () => (board.state() === "off" ? "power_cut" : outcome(lab, true)),
    stop: lab.stop,
  };
}

async function outcome(lab: Lab, wasConnected: boolean): Promise<"online" | "power_cut"> {
  let isConnected = wasConnected; // else a last will of the connection before would count
  const isDecisive = ({ source, what, outcome }: LabEvent): boolean => {
    if (source === "broker" && what === "connect" && outcome === "ok") isConnected = true;
    return what === "power_cut" || (isConnected && what === "publish" && outcome === "ok");
  };
  try {
    const signal = AbortSignal.timeout(longer(WAIT_MS));
    const event = await lab.events.waitFor(isDecisive, { futureOnly: true, signal });
    return event.what === "power_cut" ? "power_cut" : "online";
  } catch (cause) {
    throw new Error(`the board did not come online; it said\n${tail(lab.board)}`, { cause });
  }
}

function agedCertificate(lab: Lab, deviceKey: KeyObject): readonly [string, string] {
  const ca = caOf(lab);
  const hoursFromNow = (hours: number): Date => new Date(Date.now() + hours * 3_600_000);
  const csr = { commonName: DEVICE_ID, publicKey: createPublicKey(deviceKey) };
  const validity = { notBefore: hoursFromNow(-9), notAfter: hoursFromNow(1) };
  const aged = new X509Certificate(signCsr(ca, csr, { usage: "client", ...validity }));
  return [aged.toString(), lab.caPem]; // as readRecords() has it
}

let attempts = 0;

function credentialsFor(lab: Lab, network: number): Credentials {
  const { ssid, psk } = AIR.networks[network] ?? AIR.networks[0];
  attempts += 1;
  return {
    ssid,
    password: psk,
    token: lab.issueToken(DEVICE_ID),
    bearer: `bearer-${attempts}`,
    attemptId: `attempt-${attempts}`,
  };
}

/** The lab's CA, to sign for servers of one's own. */
export function caOf(lab: Lab): CertificateAuthority {
  const keyFile = join(dirname(lab.info.backend.caPath), "ca-key.pem");
  return { certPem: lab.caPem, keyPem: readFileSync(keyFile, "utf8") };
}

export function requestOf(credentials: Credentials): Record<string, string> {
  return {
    ssid: credentials.ssid,
    password: credentials.password,
    device_id: DEVICE_ID,
    provisioning_token: credentials.token,
    attempt_id: credentials.attemptId,
  };
}
