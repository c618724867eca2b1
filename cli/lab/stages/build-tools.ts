import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Check, failed, ok } from "../../flow/doctor-check.js";
import { isOnPath } from "../../processes/on-path.js";
import { runTool } from "../../processes/tool.js";

const TOOLS = ["cc", "cmake", "ninja", "strip", "socat"];
const LIBRARIES = ["libcjson"];
/** Those of which Debian has nothing for pkg-config. */
const LIBRARY_HEADERS = { mbedtls: "mbedtls/version.h", http_parser: "http_parser.h" };
const INCLUDE_DIRS = ["/usr/include", "/usr/local/include"];

/**
 * Whether this machine has what the host build and the virtual board need.
 * @param fix how it is installed from here
 */
export async function checkHostBuild(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  fix: string,
): Promise<Check[]> {
  const missing = TOOLS.filter((tool) => !isOnPath(tool, env));
  const lacking = await lackingLibrary(env, signal);
  return [
    check("host build tools", missing[0] && `missing: ${missing.join(", ")}`, TOOLS, fix),
    check("host build libraries", lacking, [...LIBRARIES, ...Object.keys(LIBRARY_HEADERS)], fix),
  ];
}

function check(name: string, trouble: string | undefined, all: string[], fix: string): Check {
  return trouble === undefined ? ok(name, all.join(", ")) : failed(name, trouble, fix);
}

/** What is wrong with the libraries, in pkg-config's words where it has some. */
async function lackingLibrary(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!isOnPath("pkg-config", env)) return "pkg-config is missing";
  const { exitCode, lines } = await runTool({
    command: "pkg-config",
    args: ["--print-errors", "--exists", ...LIBRARIES],
    cwd: "/",
    signal,
  });
  if (exitCode !== 0) return lines[0] ?? `missing: one of ${LIBRARIES.join(", ")}`;
  const lacking = Object.entries(LIBRARY_HEADERS)
    .filter(([, header]) => !INCLUDE_DIRS.some((dir) => existsSync(join(dir, header))))
    .map(([library]) => library);
  return lacking.length === 0 ? undefined : `missing: ${lacking.join(", ")}`;
}
