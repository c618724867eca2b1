import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnBound, stopChild } from "../../cli/processes/child.js";
import { unpackDebian } from "./debian-package.js";

const INSTALLED = "/usr/sbin/nginx";
const STOP_MS = 3_000;

/** The path of an nginx, or why there is none. */
export function findNginx(): { nginx: string } | { missing: string } {
  const found = existsSync(INSTALLED) ? { root: "/" } : unpackDebian("nginx", ["nginx"]);
  if ("missing" in found) return found;
  const nginx = join(found.root, INSTALLED);
  const { status, stderr, error } = spawnSync(nginx, ["-V"], { encoding: "utf8" });
  if (status !== 0) return { missing: error?.message ?? stderr.trim() };
  const lacks = ["ssl", "v2", "gzip_static", "sub"].find(
    (module) => !stderr.includes(`--with-http_${module}_module`),
  );
  return lacks === undefined ? { nginx } : { missing: `${nginx} has no http_${lacks}_module` };
}

/** A request that nginx answered, from its own log. */
export interface Request {
  readonly tls: string;
  /** What the client's SNI said; `-` without one. */
  readonly serverName: string;
  readonly line: string;
  readonly status: number;
  readonly hasToken: boolean;
}

export interface Nginx {
  /** Runs with these server blocks, in place of those that it had; resolves when it listens. */
  serve(servers: string): Promise<void>;
  /** Since it serves what it does now. */
  requests(): Request[];
  stop(): Promise<void>;
}

/** @param dir its folder, for everything that it reads and writes */
export function nginxIn(program: string, dir: string): Nginx {
  const log = join(dir, "access.log");
  const conf = join(dir, "nginx.conf");
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child) await stopChild(child, STOP_MS);
    child = undefined;
  };
  return {
    stop,
    async serve(servers) {
      await stop();
      rmSync(log, { force: true });
      writeFileSync(conf, configuration(dir, log, servers));
      const started = spawnBound(program, ["-p", dir, "-c", conf, "-e", "stderr"], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      child = started;
      let said = "";
      await new Promise<void>((resolve, reject) => {
        started.once("error", reject);
        started.once("close", () => reject(new Error(`nginx ended: ${said}`)));
        started.stderr?.on("data", (chunk) => {
          said += String(chunk);
          // ngx_os_status() comes after the listening sockets.
          if (/ OS: /.test(said)) resolve();
        });
      });
    },
    requests: () =>
      (existsSync(log) ? readFileSync(log, "utf8") : "")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
          const [tls = "", serverName = "", request = "", status, token] = line.split("|");
          return {
            tls,
            serverName,
            line: request,
            status: Number(status),
            hasToken: token === "yes",
          };
        }),
  };
}

function configuration(dir: string, log: string, servers: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (what) => `  ${what}_temp_path ${join(dir, what)};`,
  );
  return `daemon off;
master_process off;
pid ${join(dir, "nginx.pid")};
error_log stderr notice;
events {}
http {
${temporary.join("\n")}
  map $http_authorization $has_token { "" no; default yes; }
  log_format seen '$ssl_protocol|$ssl_server_name|$request|$status|$has_token';
  access_log ${log} seen;
  default_type application/json;
${servers}
}
`;
}
