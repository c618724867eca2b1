import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { z } from "zod";
import { ProvError } from "../errors.js";
import { createLineSplitter } from "../lines.js";
import { isProcessAlive } from "../processes/alive.js";
import { deadline } from "../time/deadline.js";
import { type Air, airSchema } from "./air/air-file.js";
import type { BoardAction } from "./control.js";
import { type LabEvent, labEventSchema } from "./events.js";
import type { LabFault } from "./faults.js";
import { boardStateSchema, type LabInfo, labDir, readLabInfo } from "./lab-info.js";

const CALL_TIMEOUT_MS = 120_000;

const boardStatus = z.object({
  state: boardStateSchema,
  baseUrl: z.string().nullable(),
});
const tokenAnswer = z.object({ token: z.string() });
const refusal = z.object({ code: z.string(), message: z.string() });

export interface FollowOptions {
  readonly lines?: number;
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The running lab `name` of a project.
 * @throws ProvError lab_not_running
 */
export async function findLab(projectRoot: string, name = "default"): Promise<LabClient> {
  const info = readLabInfo(labDir(projectRoot, name));
  if (info === null || !isProcessAlive(info.pid)) {
    throw new ProvError("lab_not_running", `no lab "${name}" is running here`);
  }
  const client = connectLab(info);
  await client.boardStatus(); // a process id can be somebody else's by now; an answer cannot
  return client;
}

export type LabClient = ReturnType<typeof connectLab>;

/** A running lab, seen from another process. */
function connectLab(info: LabInfo) {
  const socket = info.controlSocket;
  async function* events(options: FollowOptions = {}): AsyncGenerator<LabEvent, void, undefined> {
    for await (const line of follow(socket, "/events", options))
      yield labEventSchema.parse(JSON.parse(line));
  }
  return {
    info,
    issueToken: async (deviceId: string) =>
      tokenAnswer.parse(await call(socket, "POST", "/token", { deviceId })).token,
    boardStatus: async () => boardStatus.parse(await call(socket, "GET", "/board")),
    board: async (action: BoardAction, options: { cutAtNvsWrite?: number } = {}) =>
      boardStatus.parse(await call(socket, "POST", "/board", { action, ...options })),
    /** Switches the board off and puts the files of a flasher_args.json into its flash. */
    placeImage: async (flasherArgs: string) => {
      await call(socket, "POST", "/image", { flasherArgs });
    },
    air: async () => airSchema.parse(await call(socket, "GET", "/air")),
    setAir: async (air: Air) => {
      await call(socket, "PUT", "/air", air);
    },
    setFaults: async (faults: readonly LabFault[]) => {
      await call(socket, "PUT", "/faults", faults);
    },
    /** The board's log: the last `lines` (default all), then, with `follow`, what comes until abort. */
    log: (options: FollowOptions = {}) => follow(socket, "/log", options),
    /** What backend, broker and board saw. */
    events,
    /** The first event from now on that matches. Rejects when the lab ends, and on abort. */
    async nextEvent(matches: (event: LabEvent) => boolean, signal: AbortSignal): Promise<LabEvent> {
      for await (const event of events({ lines: 0, follow: true, signal }))
        if (matches(event)) return event;
      throw new Error("the lab's events ended");
    },
  };
}

async function call(
  socket: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const response = await send(socket, method, path, deadline(CALL_TIMEOUT_MS), body);
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const answer: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  if (response.statusCode === 200) return answer;
  const problem = refusal.safeParse(answer);
  const isUsage = response.statusCode === 400 || problem.data?.code === "usage";
  const message = problem.data?.message ?? `the lab answered ${response.statusCode}`;
  throw new ProvError(isUsage ? "usage" : "lab_failed", message);
}

async function* follow(
  socket: string,
  path: string,
  options: FollowOptions,
): AsyncGenerator<string, void, undefined> {
  const query = new URLSearchParams();
  if (options.lines !== undefined) query.set("lines", String(options.lines));
  if (options.follow === true) query.set("follow", "1");
  const response = await send(socket, "GET", `${path}?${query}`, options.signal);
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  try {
    for await (const chunk of response) {
      splitter.feed(chunk);
      yield* lines.splice(0);
    }
  } catch {
    // The caller aborted or the lab ended: either way the sequence is over.
  }
  splitter.end();
  yield* lines;
}

async function send(
  socketPath: string,
  method: string,
  path: string,
  signal: AbortSignal | undefined,
  body?: unknown,
): Promise<IncomingMessage> {
  const outgoing = request({
    socketPath,
    method,
    path,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    ...(signal === undefined ? {} : { signal }),
  });
  outgoing.on("error", () => {}); // `once` reports it before there is an answer; later it means "ended"
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  try {
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    return response;
  } catch (cause) {
    throw new ProvError("lab_not_running", "the lab does not answer any more", { cause });
  }
}
