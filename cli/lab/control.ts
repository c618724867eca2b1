import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";
import { ProvError } from "../errors.js";
import { reasonOf } from "../system-error.js";
import { airSchema } from "./air/air-file.js";
import type { VirtualBoard } from "./board/virtual-board.js";
import { labFaultsSchema } from "./faults.js";
import type { Lab } from "./lab-types.js";
import { type Answer, readJsonBody, refuse, refuseField, sendAnswer } from "./server/http-json.js";
import { followConnections } from "./server/listen.js";
import type { Stream } from "./stream.js";

const MAX_BODY_BYTES = 256 * 1024;

export const boardActions = [
  "power_on",
  "power_off",
  "cut_power",
  "reset",
  "press",
  "release",
] as const;
export type BoardAction = (typeof boardActions)[number];

const tokenRequest = z.strictObject({ deviceId: z.string() });
const boardRequest = z.strictObject({
  action: z.enum(boardActions),
  /** With `power_on` and `reset`: power fails in the middle of this NVS write. */
  cutAtNvsWrite: z.int().positive().optional(),
});
const imageRequest = z.strictObject({ flasherArgs: z.string() });

/**
 * Lets other processes of the same user drive the lab: HTTP on a Unix socket, whose folder nobody
 * else can enter. `curl --unix-socket $SOCKET http://lab/info` works too.
 */
export async function startControl(socketPath: string, lab: Lab) {
  const server = createServer((request, response) => {
    serve(request, response, lab)
      .catch((error) => fail(request, response, error))
      .catch(() => response.destroy()); // the client went away
  });
  const { close } = followConnections(server);
  server.listen(socketPath);
  await once(server, "listening");
  return { stop: close };
}

async function serve(request: IncomingMessage, response: ServerResponse, lab: Lab): Promise<void> {
  const url = new URL(request.url ?? "/", "http://lab");
  const call = `${request.method} ${url.pathname}`;
  if (call === "GET /log") return streamLines(response, url, lab.board.log, (line) => line);
  if (call === "GET /events") return streamLines(response, url, lab.events, JSON.stringify);
  const read = readers[call];
  if (read !== undefined) return sendAnswer(request, response, { status: 200, body: read(lab) });
  const act = actions[call];
  if (act === undefined) return sendAnswer(request, response, refuse(404, "not_found", call));
  const body = await readJsonBody(request, MAX_BODY_BYTES);
  await sendAnswer(request, response, body.ok ? await act(lab, body.value) : body.refusal);
}

const readers: Readonly<Record<string, (lab: Lab) => unknown>> = {
  "GET /info": (lab) => lab.info,
  "GET /board": (lab) => ({ state: lab.board.state(), baseUrl: lab.board.baseUrl() }),
  "GET /air": (lab) => lab.air(),
  "GET /reports": (lab) => lab.backend.reports(),
};

const actions: Readonly<Record<string, (lab: Lab, body: unknown) => Promise<Answer>>> = {
  "POST /token": async (lab, body) => {
    const { deviceId } = tokenRequest.parse(body);
    return { status: 200, body: { token: lab.issueToken(deviceId) } };
  },
  "POST /board": async (lab, body) => {
    const { action, cutAtNvsWrite } = boardRequest.parse(body);
    if (cutAtNvsWrite !== undefined) lab.board.cutAtNvsWrite(cutAtNvsWrite);
    await act(lab.board, action);
    return { status: 200, body: { state: lab.board.state(), baseUrl: lab.board.baseUrl() } };
  },
  "POST /image": async (lab, body) => {
    const { flasherArgs } = imageRequest.parse(body);
    await lab.board.powerOff();
    lab.board.placeImage(flasherArgs);
    return { status: 200, body: {} };
  },
  "PUT /air": async (lab, body) => {
    lab.setAir(airSchema.parse(body));
    return { status: 200, body: {} };
  },
  "PUT /faults": async (lab, body) => {
    await lab.setFaults(labFaultsSchema.parse(body));
    return { status: 200, body: {} };
  },
};

async function act(board: VirtualBoard, action: BoardAction): Promise<void> {
  if (action === "power_on") return board.powerOn();
  if (action === "power_off") return board.powerOff();
  if (action === "cut_power") return board.cutPower();
  if (action === "reset") return board.reset();
  return board.setButton(action === "press");
}

/** `?lines=N` (default all that is kept) and `?follow=1`. */
function streamLines<T>(
  response: ServerResponse,
  url: URL,
  stream: Stream<T>,
  toText: (item: T) => string,
): void {
  const asked = Number(url.searchParams.get("lines") ?? Number.MAX_SAFE_INTEGER);
  const replay = Number.isSafeInteger(asked) && asked >= 0 ? asked : Number.MAX_SAFE_INTEGER;
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  response.flushHeaders();
  const unsubscribe = stream.subscribe((item) => response.write(`${toText(item)}\n`), { replay });
  response.on("close", unsubscribe);
  if (url.searchParams.get("follow") !== "1") response.end();
}

async function fail(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): Promise<void> {
  if (response.headersSent) response.destroy();
  else await sendAnswer(request, response, explain(error));
}

function explain(error: unknown): Answer {
  if (error instanceof z.ZodError) return refuseField(error);
  if (error instanceof ProvError) return refuse(409, error.code, error.message);
  return refuse(500, "internal", reasonOf(error));
}
