import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { naming } from "../system-error.js";

/**
 * Puts something into a file that only this user can read, for as long as `use` takes.
 * @throws ProvError file_inaccessible; what `use` throws
 */
export async function withTemporaryFile<T>(
  name: string,
  content: string | Uint8Array,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "prov-"));
  const file = join(dir, name);
  try {
    naming(file, () => writeFileSync(file, content, { mode: 0o600 }));
    return await use(file);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
