import { setTimeout as delay } from "node:timers/promises";
import { longer } from "../helpers/longer.js";
import { readRecords } from "./records.js";
import { type Credentials, type Rig, requestOf } from "./rig.js";

const ONLINE_MS = 20_000;

/** What the log says when a part of the start-up fails: the device waits for somebody who looks at it. */
const NAMED_AT_START = /E \(\d+\) prov: .* does not start: .* Nothing runs\./;

interface Watch {
  readonly line: () => string | undefined;
  readonly stop: () => void;
}

function watchLog(rig: Rig, pattern: RegExp): Watch {
  let found: string | undefined;
  const stop = rig.board.log.subscribe((line) => {
    if (pattern.test(line)) found ??= line;
  });
  return { line: () => found, stop };
}

/** Its next status message after a connection; false until then, and for good when the power goes. */
function watchOnline(rig: Rig): () => boolean {
  let isOnline = false;
  rig.outcome().then(
    (end) => {
      isOnline = end === "online";
    },
    () => {},
  );
  return () => isOnline;
}

interface Look {
  readonly state?: string;
  readonly error?: { readonly code: string } | null;
}

/** GET; undefined while nobody answers. */
async function look(rig: Rig, path: string): Promise<Look | undefined> {
  const base = rig.board.baseUrl();
  if (base === null) return undefined;
  try {
    const signal = AbortSignal.timeout(longer(5_000));
    const response = await fetch(`${base}${path}`, { signal });
    return (await response.json()) as Look;
  } catch {
    return undefined;
  }
}

/** Status of the answer; undefined when none came. */
async function post(rig: Rig, credentials: Credentials): Promise<number | undefined> {
  const base = rig.board.baseUrl();
  if (base === null) return undefined;
  try {
    const response = await fetch(`${base}/provision`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${credentials.bearer}`,
      },
      body: JSON.stringify(requestOf(credentials)),
      signal: AbortSignal.timeout(longer(5_000)),
    });
    await response.text();
    return response.status;
  } catch {
    return undefined;
  }
}

/** As a person does it: asks, posts, and posts again when the board is back with a word for what went wrong. */
export async function provision(rig: Rig): Promise<string> {
  const start = watchLog(rig, NAMED_AT_START);
  const isOnline = watchOnline(rig);
  let isPosted = false;
  let ending = "online";
  let seen: Look | undefined;
  try {
    await rig.powerOn();
    const end = Date.now() + longer(ONLINE_MS);
    for (let isScanned = false; !isOnline(); await delay(10)) {
      if (start.line() !== undefined) return "does not start";
      if (Date.now() > end) throw new Error(`not online; it says ${JSON.stringify(seen)}`);
      isScanned ||= (await look(rig, "/scan")) !== undefined;
      const now = await look(rig, "/status");
      seen = now ?? seen;
      const isBack = now?.state === "AP_MODE" && now.error !== null;
      if (isBack && isPosted) ending = now?.error?.code ?? ending;
      if (isScanned && (!isPosted || isBack))
        isPosted = (await post(rig, rig.credentials(0))) === 200;
    }
    await look(rig, "/status");
    return ending;
  } finally {
    start.stop();
  }
}

const NO_RENEWAL = /W \(\d+\) (backend|jobs|prov): /;

/** A boot with a certificate that is due for renewal, until there is a new one or a reason why not. */
export async function renew(rig: Rig, aged: string): Promise<string> {
  const start = watchLog(rig, NAMED_AT_START);
  const refusal = watchLog(rig, NO_RENEWAL);
  const isOnline = watchOnline(rig);
  try {
    await rig.powerOn();
    const end = Date.now() + longer(ONLINE_MS);
    for (; ; await delay(50)) {
      if (start.line() !== undefined) return "does not start";
      if (Date.now() > end) throw new Error("neither a new certificate nor a reason why not");
      if (!isOnline()) continue;
      if ((await readRecords(rig.board.flash.path)).get("crt")?.[0] !== aged) return "online";
      if (refusal.line() !== undefined) return "renewal later";
    }
  } finally {
    start.stop();
    refusal.stop();
  }
}
