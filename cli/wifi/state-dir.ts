import { accessSync, constants, existsSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

/** What decides where a user's programs keep their state. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  /** The user's home folder; undefined when there is none. */
  readonly home: string | undefined;
}

/** The machine that this runs on. */
export function thisMachine(env: NodeJS.ProcessEnv): Machine {
  return { platform: process.platform, env, home: findHome(env) };
}

/**
 * Where the WiFi's journal lies. The radio is the machine's, not the project's: a run in any folder must find
 * what a killed one in another left behind. It is one per user, because what one user wrote is not another's to
 * trust; `nmcli.ts` tells when it meets a profile of somebody else's run.
 * @param fallback for users without a home that can be written to
 */
export function stateDir({ platform, env, home }: Machine, fallback: string): string {
  const { PROV_STATE_DIR: chosen } = env;
  if (chosen) return chosen;
  const base = stateHome(platform, env, home);
  return base !== undefined && isWritable(base) ? join(base, "prov") : fallback;
}

function stateHome(
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
  home: string | undefined,
): string | undefined {
  if (platform === "win32") return env.LOCALAPPDATA || undefined;
  if (platform === "darwin") return home && join(home, "Library", "Application Support");
  // XDG Base Directory Specification: a relative path counts as none.
  const { XDG_STATE_HOME: xdg } = env;
  if (xdg && isAbsolute(xdg) && !isSudo(env)) return xdg;
  return home && join(home, ".local", "state");
}

/** Root's own home under sudo, which may leave HOME as it was: the user must be able to write there later. */
function findHome(env: NodeJS.ProcessEnv): string | undefined {
  try {
    const home = isSudo(env) ? userInfo().homedir : env.HOME || homedir();
    return existsSync(home) ? home : undefined;
  } catch {
    return undefined;
  }
}

function isSudo(env: NodeJS.ProcessEnv): boolean {
  return env.SUDO_UID !== undefined && process.getuid?.() === 0;
}

/** Whether a folder can be written to, or made where it is missing. */
function isWritable(dir: string): boolean {
  if (!existsSync(dir)) return dirname(dir) !== dir && isWritable(dirname(dir));
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
