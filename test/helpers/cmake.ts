import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Builds a CMake project, as far as something has changed. @throws with the compiler's words when it does not build */
export async function buildProject(
  source: string,
  build: string,
  ...options: readonly string[]
): Promise<void> {
  await run("cmake", ["-G", "Ninja", "-S", source, "-B", build, ...options]);
  await run("ninja", ["-C", build, "-j2"], { maxBuffer: 1 << 24 }).catch(
    (error: Error & { stdout?: string }) => {
      throw new Error(error.stdout ?? error.message);
    },
  );
}
