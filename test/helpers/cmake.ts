import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { withLock } from "../../cli/files/lock.js";
import { longer } from "./longer.js";

const run = promisify(execFile);

export interface BuildOptions {
  readonly defines?: Readonly<Record<string, string>>;
  /** Default: all. */
  readonly targets?: readonly string[];
}

/**
 * Builds a CMake project, as far as something has changed. Several test files may ask for it at once.
 * @throws with the compiler's words when it does not build
 */
export async function buildProject(
  source: string,
  build: string,
  { defines = {}, targets = [] }: BuildOptions = {},
): Promise<void> {
  const options = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
  await withLock(join(build, "lock"), AbortSignal.timeout(longer(280_000)), async () => {
    await run("cmake", ["-G", "Ninja", "-S", source, "-B", build, ...options]);
    await run("ninja", ["-C", build, "-j2", ...targets], { maxBuffer: 1 << 26 }).catch(
      (error: Error & { stdout?: string }) => {
        throw new Error(error.stdout || error.message);
      },
    );
  });
}
