import { readdirSync, readFileSync } from "node:fs";
import { startLab } from "../../cli/lab/lab.js";

/** Runs a lab until it is killed; prints the ids of its child processes and its control socket as JSON. */
const lab = await startLab({
  root: process.argv[2] ?? "",
  deviceIds: ["dev-1"],
  broker: "mosquitto",
});
const about = { children: childrenOf(process.pid), socket: lab.info.controlSocket };
process.stdout.write(`${JSON.stringify(about)}\n`);
await new Promise(() => setInterval(() => lab.board.state(), 60_000));

function childrenOf(parent: number): number[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.filter((id) => parentOf(id) === parent).map(Number);
}

function parentOf(id: string): number {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0; // gone in between
  }
}
