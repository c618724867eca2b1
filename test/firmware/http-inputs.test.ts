import { once } from "node:events";
import { connect, createServer } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { buildPrograms, type Program, QUICK_VARIANTS, startProgram } from "../helpers/host-port.js";
import { type HttpInput, httpInputs } from "../helpers/http-inputs.js";
import { longer } from "../helpers/longer.js";
import { served } from "../helpers/served.js";

beforeAll(buildPrograms, longer(300_000));

const ROWS = httpInputs();
const rowsOf = (...kinds: HttpInput[0][]) => ROWS.filter(([kind]) => kinds.includes(kind));

/** Each input with what became of it: a difference shows by itself. */
type Outcome = [input: string, outcome: unknown];
const recorded = (rows: HttpInput[]): Outcome[] =>
  rows.map(([, input, outcome]) => [input, outcome]);

test("the table is as generous as it has to be", () => {
  for (const kind of ["url", "request", "response"] as const)
    expect(rowsOf(kind).length).toBeGreaterThan(190);
  expect(new Set(ROWS.map(([kind, input]) => `${kind} ${input}`)).size).toBe(ROWS.length);
});

describe.each(QUICK_VARIANTS)(
  "the HTTP of the host port under %s judges as the chip does",
  (variant) => {
    async function start(): Promise<Program> {
      const program = startProgram("http_inputs", variant, { env: { PROV_HOST_CLOCK: "real" } });
      await program.next(/^ready/);
      return program;
    }

    async function end(program: Program): Promise<void> {
      program.end();
      expect(await program.finished()).toMatchObject({ status: 0, stderr: "" });
    }

    async function ask(program: Program, line: string): Promise<unknown> {
      program.write(line);
      return JSON.parse(await program.next(/^(\{|null)/));
    }

    test("URLs", async () => {
      const program = await start();
      const outcomes: Outcome[] = [];
      for (const [, input] of rowsOf("url")) {
        const hex = Buffer.from(input, "latin1").toString("hex");
        outcomes.push([input, await ask(program, `url ${hex}`)]);
      }
      expect(outcomes).toEqual(recorded(rowsOf("url")));
      await end(program);
    });

    test("answers of a server", async () => {
      const program = await start();
      let bytes = "";
      const server = createServer((socket) => {
        socket.on("error", () => {}); // who has refused a head hangs up
        socket.once("data", () => socket.end(bytes, "latin1"));
      });
      const port = await served(server);
      const outcomes: Outcome[] = [];
      for (const [kind, input] of rowsOf("response", "head")) {
        bytes = input;
        outcomes.push([input, await ask(program, `${kind} ${port}`)]);
      }
      expect(outcomes).toEqual(recorded(rowsOf("response", "head")));
      await end(program);
    });

    test("requests of a client", async () => {
      const program = await start();
      const url = new URL(await program.baseUrl());
      const outcomes: Outcome[] = [];
      for (const [, input] of rowsOf("request"))
        outcomes.push([input, answers(await exchange(url, input))]);
      expect(outcomes).toEqual(recorded(rowsOf("request")));
      await end(program);
    });
  },
);

/** Sends all of it at once, and its end; all that comes back. */
async function exchange(url: URL, input: string): Promise<string> {
  const socket = connect({ port: Number(url.port), host: url.hostname, allowHalfOpen: true });
  let received = "";
  socket.on("data", (data) => {
    received += data.toString("latin1");
  });
  await once(socket, "connect");
  // A reset after the answer is as good as an end, and once() would throw it.
  const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
  socket.end(input, "latin1");
  await closed;
  return received;
}

function answers(received: string): [number, string][] {
  const all: [number, string][] = [];
  for (let rest = received; rest !== ""; ) {
    const [head = ""] = rest.split("\r\n\r\n", 1);
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
    const body = head.length + 4;
    const length = Number(/\r\nContent-Length: (\d+)/.exec(head)?.[1]);
    all.push([status, rest.slice(body, body + length)]);
    rest = rest.slice(body + length);
  }
  return all;
}
