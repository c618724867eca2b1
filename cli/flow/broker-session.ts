import { connect, type MqttClient } from "mqtt";
import { parseJson } from "../files/json.js";
import { optional } from "../optional.js";
import { reasonOf } from "../system-error.js";
import { visible } from "../terminal/foreign-text.js";
import { pause } from "../time/wait.js";

/** How an operator reads the broker: addresses and PEM texts. */
export interface BrokerAccess {
  readonly uri: string;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
  /** For a broker that wants them beside the certificate. */
  readonly username?: string;
  readonly password?: string;
}

/** One message of the device's status topic, whatever it says. */
export interface StatusMessage {
  readonly topic: string;
  readonly text: string;
  readonly payload: Record<string, unknown>;
}

export interface StatusWatch {
  readonly access: BrokerAccess;
  readonly deviceId: string;
  onMessage(message: StatusMessage): void;
  /** The pause before the next try; default half a second. */
  readonly retryMs?: number;
  /** Told each time that the broker cannot be watched, which is tried again unless it is for good. */
  onTrouble(reason: string): void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const SUBACK_TIMEOUT_MS = 10_000;
const RETRY_MS = 500;
/** MQTT 3.1.1, table 3.1: all but 3, "server unavailable", say that this client is not wanted. */
const REFUSALS: ReadonlySet<unknown> = new Set([1, 2, 4, 5]);
/** RFC 8446, 6.2: the alerts that are about the operator's certificate, in OpenSSL's words. */
const CERTIFICATE_ALERT =
  /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED)/;
/** A broker may forbid a topic by hanging up on the SUBSCRIBE; one that is just going away does so once. */
const HANG_UPS_MAX = 2;

/** What ended one connection. */
interface Ended {
  readonly reason: string;
  /** It would end the next one too. */
  readonly isDenial: boolean;
  /** The broker hung up between SUBSCRIBE and SUBACK. */
  readonly isHangUp: boolean;
}

/** Watches until `signal` aborts, or until the broker will not have it. Never rejects. */
export async function watchStatus(watch: StatusWatch, signal: AbortSignal): Promise<void> {
  let hangUps = 0;
  // A broker that is down now may be up before the device's time is.
  while (!signal.aborted) {
    const ended = await oneConnection(watch, signal);
    if (!ended || signal.aborted) return;
    hangUps = ended.isHangUp ? hangUps + 1 : 0;
    watch.onTrouble(ended.reason);
    if (ended.isDenial || hangUps === HANG_UPS_MAX) return;
    await pause(watch.retryMs ?? RETRY_MS, signal);
  }
}

/** @returns why it ended; undefined when `signal` aborted */
async function oneConnection(
  { access, deviceId, onMessage }: StatusWatch,
  signal: AbortSignal,
): Promise<Ended | undefined> {
  const topic = `devices/${deviceId}/status`;
  const explain = (why: string): string => `cannot watch the broker ${access.uri}: ${why}`;
  let client: MqttClient;
  try {
    client = connectObserver(access);
  } catch (error) {
    const why = reasonOf(error);
    return { reason: explain(why), isDenial: true, isHangUp: false };
  }
  client.on("message", (received, bytes) => {
    const text = Buffer.from(bytes).toString("utf8");
    const payload = received === topic ? parseObject(text) : undefined;
    if (payload) onMessage({ topic, text, payload });
  });
  try {
    const ended = await subscribed(client, topic, signal);
    return ended && { ...ended, reason: explain(ended.reason) };
  } finally {
    client.end(true);
  }
}

function connectObserver(access: BrokerAccess): MqttClient {
  return connect(access.uri, {
    ca: access.caPem,
    cert: access.certPem,
    key: access.keyPem,
    ...optional({ username: access.username, password: access.password }),
    clientId: `prov-observer-${Math.random().toString(16).slice(2, 10)}`,
    protocolVersion: 4,
    clean: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
  });
}

/** Subscribes once connected; resolves with what ended it, or with nothing when `signal` aborts. */
function subscribed(
  client: MqttClient,
  topic: string,
  signal: AbortSignal,
): Promise<Ended | undefined> {
  return new Promise((resolve) => {
    let isAsking = false;
    let timer: NodeJS.Timeout | undefined;
    const finish = (ended?: Ended): void => {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(timer);
      resolve(ended);
    };
    const onAbort = (): void => finish();
    const fail = (reason: string, isDenial = false): void =>
      finish({ reason, isDenial, isHangUp: isAsking && !isDenial });
    signal.addEventListener("abort", onAbort);
    // It stays: what the socket has to say after the end is nobody's concern.
    client.on("error", (error) => fail(visible(error.message), isDenied(error)));
    client.once("close", () =>
      fail(isAsking ? "it hung up on the subscription" : "the connection was closed"),
    );
    client.once("connect", () => {
      isAsking = true;
      timer = setTimeout(() => {
        isAsking = false;
        fail("the subscription was not acknowledged");
      }, SUBACK_TIMEOUT_MS);
      client.subscribe(topic, { qos: 1 }, (error, _granted, packet) => {
        // Without a packet it is the connection that ended, which the client tells besides.
        if (error && packet) fail(`it does not allow to read ${topic}`, true);
        if (error) return;
        isAsking = false;
        clearTimeout(timer);
      });
    });
    if (signal.aborted) finish();
  });
}

function isDenied(error: Error): boolean {
  const code: unknown = "code" in error ? error.code : undefined;
  return REFUSALS.has(code) || (typeof code === "string" && CERTIFICATE_ALERT.test(code));
}

function parseObject(text: string): Record<string, unknown> | undefined {
  const value = parseJson(text);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? { ...value }
    : undefined;
}
