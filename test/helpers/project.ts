import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** The smallest manifest of a chip. */
export const FERN = `defineDevice({ id: "fern", target: "esp32c3" })`;

const made: string[] = [];

afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

/** A folder that goes away when the test file ends. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "prov-cli-"));
  made.push(dir);
  return dir;
}

/** A user's folder whose manifest exports what the text says. */
export function projectWith(exported: string): string {
  const dir = temporaryDir();
  writeManifest(dir, exported);
  return dir;
}

/** Makes the folder if it has to. */
export function writeManifest(dir: string, exported: string): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, "device.config.ts"),
    `import { defineDevice } from "prov";\n\nexport default ${exported};\n`,
  );
}

/** Every file below a folder with its text, mode and time of change. */
export function snapshot(
  dir: string,
): Record<string, { text: string; mode: string; mtimeMs: number }> {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => ({ name, stat: statSync(join(dir, name)) }));
  return Object.fromEntries(
    files.map(({ name, stat }) => [
      name,
      {
        text: stat.isFile() ? readFileSync(join(dir, name), "latin1") : "",
        mode: (stat.mode & 0o777).toString(8),
        mtimeMs: stat.mtimeMs,
      },
    ]),
  );
}
