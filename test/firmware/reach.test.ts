import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildPrograms, type Program, startProgram, VARIANTS } from "../helpers/host-port.js";
import { longer } from "../helpers/longer.js";
import { makeNamespaces, type Namespaces, namespacesMissing } from "../helpers/namespaces.js";
import { run } from "../helpers/prov.js";
import { served } from "../helpers/served.js";

/* Who reaches what on a board between its SoftAP and the home network, bound to the SoftAP's interface or not: the same
   on the loopback interface's addresses, which every virtual board has, as with interfaces in namespaces of the kernel. */

const PROBE = fileURLToPath(new URL("../support/probe.py", import.meta.url));
const ANSWER_MS = 10_000;
/** Long enough for an answer of a machine that has nothing else to do; a refusal comes at once. */
const SILENCE_MS = 700;

type Word = "answered" | "refused" | "silent";
type Who = "phone" | "neighbour";

/** A place for the board to be in, with somebody on each of its networks. */
interface Place {
  readonly program: Program;
  /** The addresses of the board. */
  readonly softAp: string;
  readonly station: string;
  probe(who: Who, kind: "tcp" | "udp", address: string, port: number, ms: number): Promise<Word>;
}

const probeArgs = (kind: string, source: string, address: string, port: number, ms: number) => [
  ...["python3", PROBE, kind, source, address, String(port), String(longer(ms) / 1000)],
];

async function onLoopback(
  variant: (typeof VARIANTS)[number],
  env: Record<string, string> = {},
): Promise<Place> {
  const program = startProgram("reach", variant, { env });
  return {
    program,
    softAp: "127.4.187.1",
    station: "127.1.187.0",
    probe: async (who, kind, address, port, ms) => {
      const source = who === "phone" ? "0.0.0.0" : "127.1.200.2";
      const [python = "", ...args] = probeArgs(kind, source, address, port, ms);
      return (await run(python, args)).stdout.trim() as Word;
    },
  };
}

const SOFTAP = "192.168.4.1";
const STATION = "192.168.77.10";

/** As on the chip (ESP-IDF's ip4_route_src_hook), what comes from the SoftAP's address leaves by the SoftAP. */
async function lay(net: Namespaces): Promise<void> {
  await net.link(["board", "ap0"], ["phone", "wlan0"]);
  await net.link(["board", "sta0"], ["neighbour", "lan0"]);
  await net.ip("phone", "address", "add", "192.168.4.2/24", "dev", "wlan0");
  await net.ip("neighbour", "address", "add", "192.168.77.2/24", "dev", "lan0");
  await net.ip("neighbour", "route", "add", "192.168.4.0/24", "via", STATION);
  await net.ip("board", "address", "add", `${SOFTAP}/24`, "dev", "ap0");
  await net.ip("board", "address", "add", `${STATION}/24`, "dev", "sta0");
  await net.ip("board", "route", "add", "default", "dev", "ap0", "table", "100");
  await net.ip("board", "rule", "add", "from", SOFTAP, "lookup", "100");
}

async function inNamespaces(variant: (typeof VARIANTS)[number]): Promise<Place> {
  const net = await makeNamespaces(["board", "phone", "neighbour"]);
  onTestFinished(() => net.remove());
  await lay(net);
  const program = startProgram("reach", variant, {
    env: { PROV_HOST_AP_INTERFACE: "ap0" },
    inside: (command) => net.enter("board", command),
  });
  return {
    program,
    softAp: SOFTAP,
    station: STATION,
    probe: async (who, ...probe) => {
      const [kind, address, port, ms] = probe;
      const { stdout } = await net.exec(who, ...probeArgs(kind, "0.0.0.0", address, port, ms));
      return stdout.trim() as Word;
    },
  };
}

const missing = namespacesMissing();
if (missing !== null)
  process.stdout.write(`who reaches the board, in namespaces: skipped, ${missing}\n`);

beforeAll(buildPrograms, longer(300_000));

describe.each([
  {
    where: "the loopback interface",
    make: (variant: (typeof VARIANTS)[number]) => onLoopback(variant),
    isSkipped: false,
  },
  { where: "interfaces of its own", make: inNamespaces, isSkipped: missing !== null },
])("a board on $where", ({ make, isSkipped }) => {
  test.skipIf(isSkipped).each(VARIANTS)(
    "is reached from the home network exactly while its server is bound to no interface (%s)",
    async (variant) => {
      const { program, softAp, station, probe } = await make(variant);
      const does = async (command: string, pattern: RegExp) => {
        program.write(command);
        return program.next(pattern);
      };
      let port = 0;
      const tcp = (who: Who, address: string) =>
        probe(who, "tcp", address, port, who === "phone" ? ANSWER_MS : SILENCE_MS);
      const reach = async () => {
        const phone = await tcp("phone", softAp);
        const [neighbour, aroundTheCorner] = await Promise.all([
          tcp("neighbour", station),
          tcp("neighbour", softAp), // with a route to the SoftAP's network through the station
        ]);
        return { phone, neighbour, aroundTheCorner };
      };
      const unbound = { phone: "answered", neighbour: "answered", aroundTheCorner: "silent" };
      const bound = { phone: "answered", neighbour: "refused", aroundTheCorner: "silent" };

      await program.next(/^ready/);
      await does("up", /^is up/);
      await does("join", /^station /);
      await does("serve", /^serves/);
      const url = new URL(await program.baseUrl());
      expect(url.hostname).toBe(softAp);
      port = Number(url.port || 80);
      expect(await reach()).toEqual(unbound);
      await does("bind", /^is bound/);
      expect(await reach()).toEqual(bound);

      // Around the AP's closing the server stays bound, to the interface that comes then, too.
      await does("down", /^is down/);
      expect(await tcp("neighbour", station)).toBe("refused");
      await does("up", /^is up/);
      port = Number(new URL(await program.baseUrl()).port || 80);
      expect(await reach()).toEqual(bound);

      // The next server is bound to nothing again.
      await does("stop", /^has stopped/);
      expect(await tcp("phone", softAp)).toBe("refused");
      expect(await tcp("neighbour", station)).toBe("refused");
      await does("serve", /^serves/);
      expect(await reach()).toEqual(unbound);
      await does("bind", /^is bound/);
      expect(await reach()).toEqual(bound);

      const echo = Number(/(\d+)$/.exec(await does("echo", /^echoes/))?.[1]);
      expect(await probe("phone", "udp", softAp, echo, ANSWER_MS)).toBe("answered");
      const others = [softAp, station].map((at) => probe("neighbour", "udp", at, echo, SILENCE_MS));
      for (const word of await Promise.all(others)) expect(word).toMatch(/^(silent|refused)$/);
      program.end();
      expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
    },
    longer(120_000),
  );
});

test.each(VARIANTS)(
  "at the station's address a board is reached while it is on the home network, and calls from there (%s)",
  async (variant) => {
    const { program, station, probe } = await onLoopback(variant);
    await program.next(/^ready/);
    program.write("up");
    program.write("serve");
    await program.next(/^serves/);
    const port = Number(new URL(await program.baseUrl()).port);
    const reached = () => probe("neighbour", "tcp", station, port, ANSWER_MS);
    expect(await reached()).toBe("refused");
    program.write("join");
    expect(await program.next(/^station /)).toBe(`station ${station}`);
    expect(await reached()).toBe("answered");
    const callers: (string | undefined)[] = [];
    const service = createServer((request, response) => {
      callers.push(request.socket.remoteAddress);
      response.end();
    });
    program.write(`call ${await served(service)}`);
    expect(await program.next(/^called/)).toBe("called: ESP_OK");
    expect(callers).toEqual([station]);
    program.write("leave");
    await program.next(/^has left/);
    expect(await reached()).toBe("refused");
    program.end();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  },
  longer(120_000),
);

test.each(VARIANTS)(
  "a server that was bound to an AP of before is reached by nobody until it is bound again (%s)",
  async (variant) => {
    const { program, softAp, probe } = await onLoopback(variant, { TEST_BINDS_ONCE: "1" });
    const does = async (command: string, pattern: RegExp) => {
      program.write(command);
      await program.next(pattern);
    };
    const reached = async (ms: number) => {
      const port = Number(new URL(await program.baseUrl()).port);
      return probe("phone", "tcp", softAp, port, ms);
    };
    await program.next(/^ready/);
    await does("up", /^is up/);
    await does("serve", /^serves/);
    await does("bind", /^is bound/);
    expect(await reached(ANSWER_MS)).toBe("answered");
    await does("down", /^is down/);
    await does("up", /^is up/);
    expect(await reached(SILENCE_MS)).toBe("silent");
    await does("bind", /^is bound/);
    expect(await reached(ANSWER_MS)).toBe("answered");
    program.end();
    expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
  },
  longer(120_000),
);
