import type { CommandContext } from "../context.js";
import { type JoinedBoard, joinBoard } from "../flow/join.js";
import { type BoardOptions, reachBoard } from "./board-options.js";
import { openProject } from "./project.js";

const JOIN_TIMEOUT_MS = 45_000;

/** Joins the board's AP, runs `work` there, and puts the host's WiFi back on every way out. */
export async function onBoard<T>(
  options: BoardOptions,
  context: CommandContext,
  work: (board: JoinedBoard) => Promise<T>,
): Promise<T> {
  const project = await openProject(options, context);
  const reach = await reachBoard(options, project, context);
  try {
    const board = await joinBoard({
      wifi: reach.wifi,
      manifest: project.manifest,
      timeoutMs: JOIN_TIMEOUT_MS,
      signal: context.signal,
      progress: context.out,
      ...(reach.apSsid === undefined ? {} : { apSsid: reach.apSsid }),
    });
    return await work(board);
  } finally {
    const report = await reach.wifi.leave();
    if (!report.restored) context.out.warn(report.message);
  }
}
