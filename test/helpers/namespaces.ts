import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Outcome, run } from "./prov.js";

/** Why this machine cannot have network namespaces; null when it can. */
export function namespacesMissing(): string | null {
  if (process.platform !== "linux") return "network namespaces are Linux'";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  if (spawnSync("ip", ["-V"]).status !== 0) return "network namespaces need iproute2's ip";
  return existsSync("/proc/self/ns/net") ? null : "this kernel has no network namespaces";
}

export interface Namespaces {
  /** The command line that runs a program in the namespace `name`. */
  enter(name: string, ...command: string[]): [string, string[]];
  exec(name: string, ...command: string[]): Promise<Outcome>;
  /** `ip` in that namespace. */
  ip(name: string, ...args: string[]): Promise<void>;
  /** A cable between two of them. */
  link(a: readonly [name: string, device: string], b: readonly [string, string]): Promise<void>;
  remove(): Promise<void>;
}

/** Namespaces of this process's own, with nothing in them but a loopback interface that is up. */
export async function makeNamespaces(names: readonly string[]): Promise<Namespaces> {
  const real = (name: string) => `prov-${process.pid}-${name}`;
  const must = async (args: readonly string[]): Promise<void> => {
    const { code, stderr } = await run("ip", args);
    if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
  };
  const ip = (name: string, ...args: string[]) => must(["-n", real(name), ...args]);
  for (const name of names) {
    await must(["netns", "add", real(name)]);
    await ip(name, "link", "set", "lo", "up");
  }
  const enter = (name: string, ...command: string[]): [string, string[]] => [
    "ip",
    ["netns", "exec", real(name), ...command],
  ];
  return {
    enter,
    exec: (name, ...command) => run(...enter(name, ...command)),
    ip,
    async link([a, deviceA], [b, deviceB]) {
      const peer = ["type", "veth", "peer", "name", deviceB, "netns", real(b)];
      await ip(a, "link", "add", deviceA, ...peer);
      await ip(a, "link", "set", deviceA, "up");
      await ip(b, "link", "set", deviceB, "up");
    },
    async remove() {
      for (const name of names) await run("ip", ["netns", "del", real(name)]);
    },
  };
}
