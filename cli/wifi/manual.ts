import { deadline } from "../deadline.js";
import { ProvError } from "../errors.js";
import type { HostWifi, JoinedAp } from "./host-wifi.js";
import { abortError, DEFAULT_BASE_URL, pause } from "./wait.js";

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
    join: async (ap, _password, { signal }): Promise<JoinedAp> => {
      await waitUntilReachable(baseUrl, probeIntervalMs, signal);
      return { ssid: ap.ssid, baseUrl };
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
  let last = "no answer";
  for (;;) {
    if (signal.aborted) {
      throw abortError(signal, {
        code: "ap_unreachable",
        message: `nothing answers at ${baseUrl} (${last})`,
      });
    }
    const failure = await probe(baseUrl, signal);
    if (failure === null) return;
    if (!signal.aborted) last = failure; // the abort itself is no reason worth telling
    await pause(intervalMs, signal);
  }
}

/** One GET /status: null when anything spoke HTTP, else why not. */
async function probe(baseUrl: string, signal: AbortSignal): Promise<string | null> {
  try {
    const limit = AbortSignal.any([signal, deadline(5000)]);
    const answer = await fetch(`${baseUrl}/status`, { signal: limit, redirect: "manual" });
    await answer.body?.cancel();
    return null;
  } catch (error) {
    if (error instanceof TypeError && error.message.includes("URL")) {
      throw new ProvError("usage", `${JSON.stringify(baseUrl)} is not a URL`, { cause: error });
    }
    return describe(error);
  }
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string")
    return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
