import type { Readable } from "node:stream";
import axios, { isAxiosError } from "axios";
import { ProvError } from "../errors.js";
import { deadline } from "../time/deadline.js";
import { type Failure, poll } from "../time/wait.js";
import { DEFAULT_BASE_URL } from "./access-point.js";
import type { HostWifi, JoinedAp } from "./host-wifi.js";

const PROBE_TIMEOUT_MS = 5_000;

/**
 * The adapter that touches nothing: the person has joined the AP already, or the board is reached
 * some other way (wired, port forwarding). `join` only checks that something answers at `baseUrl`.
 */
export function manualWifi(options: { baseUrl?: string; probeIntervalMs?: number } = {}): HostWifi {
  const baseUrl = (options.baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, "");
  const probeIntervalMs = options.probeIntervalMs ?? 500;
  return {
    kind: "manual",
    scan: async () => [],
    join: async (_ap, _password, { signal }): Promise<JoinedAp> => {
      if (!URL.canParse(baseUrl))
        throw new ProvError("usage", `${JSON.stringify(baseUrl)} is not a URL`);
      await waitUntilReachable(baseUrl, probeIntervalMs, signal);
      return { ssid: null, baseUrl };
    },
    leave: async () => ({
      changed: false,
      restored: true,
      network: null,
      message: "the host's WiFi was left alone",
    }),
  };
}

async function waitUntilReachable(
  baseUrl: string,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  const silence = (why: string): string => `nothing answers at ${baseUrl} (${why})`;
  const onTimeout: Failure = { code: "ap_unreachable", message: silence("no answer") };
  const isReachable = async (): Promise<true | undefined> => {
    const failure = await probe(baseUrl, signal);
    if (failure === null) return true;
    if (!signal.aborted) onTimeout.message = silence(failure); // the abort itself is no reason worth telling
    return undefined;
  };
  await poll(isReachable, { intervalMs, signal, onTimeout });
}

/** One GET /status: null when anything spoke HTTP, else why not. */
async function probe(baseUrl: string, signal: AbortSignal): Promise<string | null> {
  try {
    const answer = await axios.get<Readable>(`${baseUrl}/status`, {
      signal: deadline(PROBE_TIMEOUT_MS, signal),
      responseType: "stream",
      maxRedirects: 0,
      proxy: false,
      validateStatus: () => true,
    });
    answer.data.destroy();
    return null;
  } catch (error) {
    if (!isAxiosError(error)) throw error;
    return error.code === "ERR_CANCELED" ? "no answer" : (error.code ?? error.message);
  }
}
