import type { Peer, Policy } from "./peer.js";
import { deviceSays, type Listener, type Message, type Provisioned, type World } from "./world.js";

/** All that a run of prov takes that goes well, and one that does not, on a machine with nothing else to do. */
const GOING_WELL_S = 40;
const FAILING_S = 12;
/** Exit codes as README has them. */
const EXIT_OK = 0;
const EXIT_MQTT = 9;

export interface Check {
  readonly name: string;
  /** The broker runs with this when the check begins. */
  readonly policy: Policy;
  /** @returns a remark; rejects when the check fails */
  run(world: World, peer: Peer): Promise<string>;
}

const isOnline = ({ payload }: Message): boolean => payload.status === "connected";
const isOffline = ({ payload }: Message): boolean => payload.status === "offline";

/** In this order; each goes on where the one before ended. */
export const CHECKS: readonly Check[] = [
  { name: "connect", policy: "open", run: connect },
  { name: "retained", policy: "open", run: retained },
  { name: "will", policy: "open", run: will },
  { name: "restart", policy: "open", run: restart },
  { name: "takeover", policy: "open", run: takeover },
  { name: "witness", policy: "open", run: witness },
  { name: "revoked", policy: "revoked", run: revoked },
  { name: "publish denied", policy: "mute", run: publishDenied },
  { name: "connect denied", policy: "closed", run: connectDenied },
];

/** Mutual TLS, and `prov provision` with nobody's word but the device's. */
async function connect(world: World): Promise<string> {
  const result = await world.provision({ asOperator: false, timeoutS: GOING_WELL_S });
  expectExit(result, EXIT_OK);
  return `proof ${result.document.proof}`;
}

/** Who subscribes late gets the device's status. */
async function retained(world: World, peer: Peer): Promise<string> {
  return late(world, peer, isOnline);
}

/** Without power the device is offline, for those who listen and for those who come later. */
async function will(world: World, peer: Peer): Promise<string> {
  const listener = await world.listen();
  try {
    await nextLive(listener);
    const since = performance.now();
    await world.rig.board.powerOff();
    await listener.next(isOffline);
    const afterMs = Math.round(performance.now() - since);
    const kept = await late(world, peer, peer.breaks?.will ? isOnline : isOffline);
    return `offline after ${afterMs} ms; a late one hears ${kept}${peer.breaks?.will ? ": the will is not kept" : ""}`;
  } finally {
    await listener.close();
  }
}

/** The first message that a new listener gets, which has to be wanted and flagged as MQTT 3.1.1, 3.3.1.3, says. */
async function late(
  world: World,
  peer: Peer,
  isWanted: (message: Message) => boolean,
): Promise<string> {
  const listener = await world.listen();
  const first = await listener.next(() => true).finally(() => listener.close());
  const said = `"${first.payload.status}" ${first.retain ? "with" : "WITHOUT"} RETAIN`;
  if (!isWanted(first) || first.retain === (peer.breaks?.late ?? false)) throw new Error(said);
  return said;
}

/** A message that the device sends now: whatever a broker kept, its next one has another number. */
async function nextLive(listener: Listener): Promise<Message> {
  const first = await listener.next(isOnline);
  return listener.next((message) => isOnline(message) && message.payload.seq !== first.payload.seq);
}

/** A broker that goes and comes back finds the device again. */
async function restart(world: World, peer: Peer): Promise<string> {
  await world.rig.board.powerOff();
  await world.rig.powerOn();
  const before = await world.listen();
  const reconnects = ({ payload }: Message): number => Number(payload.mqtt_reconnects);
  const count = reconnects(await nextLive(before).finally(() => before.close()));
  const lost = deviceSays(world, /\bbroker_lost\b/);
  await peer.stop();
  await lost;
  await peer.start({ policy: "open", again: true });
  const since = performance.now();
  const after = await world.listen();
  const isBack = (message: Message): boolean => isOnline(message) && reconnects(message) > count;
  await after.next(isBack).finally(() => after.close());
  return `back after ${Math.round(performance.now() - since)} ms`;
}

/** MQTT 3.1.1, 3.1.4-2: the second with a client id ends the first one's connection. The device comes back. */
async function takeover(world: World): Promise<string> {
  const lost = deviceSays(world, /\bmqtt: \w+: /);
  const online = deviceSays(world, /-> MQTT_CONNECTED/);
  const impostor = await world.impostor();
  impostor.on("error", () => {});
  const ousted = new Promise<void>((resolve) => void impostor.once("close", resolve));
  const said = /\bmqtt: (\w+): /.exec(await lost)?.[1];
  if (said !== "broker_lost") throw new Error(`the device calls it ${said}`);
  await Promise.all([online, ousted]);
  // A broker may have published the last will of the connection that it ended.
  const listener = await world.listen();
  await nextLive(listener).finally(() => listener.close());
  return "the second wins; the device calls it broker_lost and takes its place back";
}

/** With an operator's certificate prov wants the broker's word. */
async function witness(world: World): Promise<string> {
  const result = await world.provision({ asOperator: true, timeoutS: GOING_WELL_S });
  expectExit(result, EXIT_OK);
  const { proof } = result.document;
  if (proof !== "broker_delivered") throw new Error(`proof ${proof}`);
  return `proof ${proof}`;
}

/** The certificate that it was online with is taken back. */
async function revoked(world: World, peer: Peer): Promise<string> {
  await peer.stop();
  const crlPem = await world.revoke();
  await peer.start({ policy: "revoked", crlPem, again: true });
  // From now on it is the broker that the device speaks of, again and again.
  const said = await deviceSays(world, /\bmqtt: \w+: /);
  if (!/\bbroker_rejected: /.test(said)) throw new Error(`the device calls it ${afterCode(said)}`);
  return afterCode(said);
}

async function publishDenied(world: World, peer: Peer): Promise<string> {
  const result = await world.provision({ asOperator: true, timeoutS: FAILING_S });
  return expectError(result, peer.mutedCode);
}

async function connectDenied(world: World): Promise<string> {
  const result = await world.provision({ asOperator: true, timeoutS: FAILING_S });
  const remark = expectError(result, "broker_rejected");
  if (!/CONNACK code [45]\b/.test(remark)) throw new Error(remark);
  return remark;
}

function expectExit({ exit, document }: Provisioned, expected: number): void {
  if (exit !== expected)
    throw new Error(`prov ended with ${exit}: ${document.error?.code}: ${document.error?.message}`);
}

function expectError(result: Provisioned, code: string): string {
  expectExit(result, EXIT_MQTT);
  const { error } = result.document;
  if (error?.code !== code) throw new Error(`prov says ${error?.code}: ${error?.message}`);
  return `${code}: ${error.message}`;
}

function afterCode(line: string): string {
  return /\bmqtt: (.*)$/.exec(line)?.[1] ?? line;
}
