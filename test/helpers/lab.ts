import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findLab, type LabClient } from "../../cli/lab/client.js";
import { parseTransition, type StateName } from "../../codegen/states.js";
import { checkDocument } from "./json-keys.js";
import { longer, longerSeconds } from "./longer.js";
import { DEVICE_ID, keep, type Outcome, PROJECT, run, startProv, withDefaults } from "./prov.js";

export interface RunningLab {
  name: string;
  client: LabClient;
  /** The SSID and password of the lab's home network. */
  home: { ssid: string; password: string };
  /** Waits until the board's AP is up and returns its address. */
  baseUrl(): Promise<string>;
  /** The first line of the board's log, past or future, that matches. */
  logLine(pattern: RegExp, options?: { fromNow?: boolean }): Promise<string>;
  /** The first line of the board's log, past or future, by which it gets to a state, from another or from a certain one. */
  enters(state: StateName, options?: { fromNow?: boolean; from?: StateName }): Promise<string>;
  token(deviceId?: string): Promise<string>;
  stop(): Promise<number | null>;
}

export interface LabUpOptions {
  broker?: "embedded" | "mosquitto";
  sanitize?: "address" | "undefined" | "thread";
  /**
   * Of certificates, from their issue on. They look as if they had begun long before, so that a device renews soon,
   * between a sixth and three fifths of this, and has the rest for it, however slow the machine is.
   */
  certificateSeconds?: number;
  /** The folder of the manifest; default the shared project. */
  project?: string;
}

const WAIT_MS = 60_000;

/** `prov lab up` as a process of its own, ready: the board is in AP_MODE. */
export async function labUp(name: string, options: LabUpOptions = {}): Promise<RunningLab> {
  const args = [
    "lab",
    "up",
    "--json",
    "--verbose",
    "--name",
    name,
    "--broker",
    options.broker ?? "embedded",
  ];
  const { certificateSeconds: lifeS } = options;
  if (lifeS) {
    args.push("--certificate-seconds", String(lifeS));
    args.push("--certificate-age-seconds", String(Math.ceil(lifeS * 1.5)));
  }
  if (options.sanitize) args.push("--sanitize", options.sanitize);
  const child = startProv(args, options.project ? { cwd: options.project } : {});
  let stderr = "";
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const exited = once(child, "close").then(([code]) => code as number | null);
  if (!child.stdout) throw new Error("no stdout");
  const [first] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    exited.then((code): never => {
      throw new Error(`prov lab up ended with ${code}:\n${stderr}`);
    }),
  ]);
  checkDocument(String(first));
  const document = JSON.parse(String(first));
  if (document.ok !== true) throw new Error(`prov lab up: ${first}\n${stderr}`);
  const client = await findLab(options.project ?? PROJECT, name);
  const network = (await client.air()).networks.find((each) => each.psk !== null);
  if (!network?.psk) throw new Error("the air holds no secured network");
  return {
    name,
    client,
    home: { ssid: network.ssid, password: network.psk },
    baseUrl: async () => {
      const deadline = AbortSignal.timeout(longer(WAIT_MS));
      for (;;) {
        const { baseUrl } = await client.boardStatus();
        if (baseUrl !== null) return baseUrl;
        deadline.throwIfAborted();
      }
    },
    logLine: (pattern, options) =>
      firstLine(client, (line) => pattern.test(line), `matched ${pattern}`, options),
    enters: (state, { from, ...options } = {}) => {
      const isIt = (line: string) => {
        const step = parseTransition(line);
        return step?.to === state && (from === undefined || step.from === from);
      };
      return firstLine(client, isIt, `led to ${state}`, options);
    },
    token: (deviceId = DEVICE_ID) => client.issueToken(deviceId),
    stop: async () => {
      child.kill("SIGINT");
      const code = await exited;
      keep(["lab"], stderr);
      return code;
    },
  };
}

async function firstLine(
  client: LabClient,
  isIt: (line: string) => boolean,
  what: string,
  { fromNow = false }: { fromNow?: boolean } = {},
): Promise<string> {
  const waitMs = longer(WAIT_MS);
  const signal = AbortSignal.timeout(waitMs);
  for await (const line of client.log({
    follow: true,
    signal,
    ...(fromNow ? { lines: 0 } : {}),
  }))
    if (isIt(line)) return line;
  throw new Error(`no line of the board's log ${what} within ${waitMs} ms`);
}

/** `prov_nvs` on the board's flash; the board must be off for everything but `list`. */
export function nvsTool(lab: RunningLab, ...args: string[]): Promise<Outcome> {
  const tool = join(PROJECT, ".prov", "build", "host", "tools", "prov_nvs");
  return run(tool, [join(lab.client.info.airDir, "..", "board", "flash.bin"), ...args]);
}

/**
 * Mends all faults; the board forgets everything but its key, and waits in AP_MODE. Returns where its
 * HTTP server and its name server are.
 */
export async function freshBoard(lab: RunningLab): Promise<{ baseUrl: string; dnsPort: number }> {
  await lab.client.setFaults([]);
  const { networks } = await lab.client.air();
  await lab.client.setAir({ networks, faults: {} });
  await lab.client.board("power_off");
  const { code, stderr } = await nvsTool(lab, "erase-all", "device_config");
  if (code !== 0) throw new Error(`prov_nvs: ${stderr}`);
  // The last thing to start on the AP is its name server.
  const ready = lab.logLine(/dns: (every name|no name server)/, { fromNow: true });
  await lab.client.board("power_on");
  const dnsPort = Number(/port (\d+)/.exec(await ready)?.[1]);
  return { baseUrl: await lab.baseUrl(), dnsPort };
}

/** `prov provision` against a lab, from the shared project; what `more` has of the defaults replaces them. */
export function provisionArgs(lab: RunningLab, more: readonly string[] = []): string[] {
  const given = withDefaults({ "--timeout": longerSeconds(40), "--ssid": lab.home.ssid }, more);
  return ["provision", "--lab", lab.name, "--json", "--no-input", ...given];
}
