import { join } from "node:path";
import type { Air } from "../../cli/lab/air/air-file.js";
import type { RunningLab } from "./lab.js";
import { longer } from "./longer.js";
import { run } from "./prov.js";

const WAIT_MS = 60_000;

/** What a field of the board's JSON may be; the tests say what they expect of it. */
type Json = ReturnType<typeof JSON.parse>;

/** A lab's board, as whoever stands in front of it sees it. */
export interface Device {
  /** Changes what is in the air. */
  setAir(change: Partial<Air>): Promise<void>;
  /** Makes it forget everything but its key; it is off afterwards. */
  empty(): Promise<void>;
  /** Powers it up, which must lead to AP_MODE. */
  boot(): Promise<void>;
  post(path: string, body: object, secret?: string): Promise<{ status: number; body: Json }>;
  status(): Promise<Json>;
  statusWhere(isWanted: (status: Json) => boolean): Promise<Json>;
  /** The body of a good POST /provision, with a token of its own. */
  credentials(more?: object): Promise<object>;
}

/** @param project the folder of the lab's manifest */
export function deviceOf(
  lab: RunningLab,
  options: { readonly id: string; readonly project: string; readonly pairingSecret?: string },
): Device {
  const { client } = lab;
  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const deadline = AbortSignal.timeout(longer(WAIT_MS));
    for (;;) {
      try {
        return await fetch(`${await lab.baseUrl()}${path}`, init);
      } catch {
        deadline.throwIfAborted(); // the AP is there a moment before its HTTP server
      }
    }
  };
  const status = async (): Promise<Json> => (await call("/status")).json();
  const statusWhere: Device["statusWhere"] = async (isWanted) => {
    const deadline = AbortSignal.timeout(longer(WAIT_MS));
    for (;;) {
      const now = await status();
      if (isWanted(now)) return now;
      deadline.throwIfAborted();
    }
  };
  return {
    setAir: async (change) => client.setAir({ ...(await client.air()), ...change }),
    async empty() {
      await client.board("power_off");
      const flash = join(client.info.airDir, "..", "board", "flash.bin");
      const tool = join(options.project, ".prov", "build", "host", "tools", "prov_nvs");
      const { code, stderr } = await run(tool, [flash, "erase-all", "device_config"]);
      if (code !== 0) throw new Error(`prov_nvs: ${stderr}`);
    },
    async boot() {
      await client.board("power_off");
      const booted = lab.enters("AP_MODE", { fromNow: true });
      await client.board("power_on");
      await booted;
      await statusWhere((now) => now.state === "AP_MODE");
    },
    async post(path, body, secret = options.pairingSecret ?? "") {
      const answer = await call(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Pairing-Secret": secret },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: await answer.json() };
    },
    status,
    statusWhere,
    credentials: async (more = {}) => ({
      ssid: lab.home.ssid,
      password: lab.home.password,
      device_id: options.id,
      provisioning_token: await lab.token(options.id),
      ...more,
    }),
  };
}
