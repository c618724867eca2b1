import { readVersion } from "../../cli/paths.js";

/** The paths of all keys of a document that are not in snake_case; a device's own message is not prov's to spell. */
export function misspeltKeys(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => misspeltKeys(item, `${path}[]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = `${path}.${key}`;
    const below = here.endsWith("mqtt.payload") ? [] : misspeltKeys(inner, here);
    return /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(key) ? below : [here, ...below];
  });
}

/**
 * What every document that `--json` prints has in common; the benchmark, which has no vitest, checks it too.
 * @throws Error for a document without `ok` or `version`, or with a key that is not in snake_case
 */
export function checkDocument(stdout: string): void {
  const document = JSON.parse(stdout);
  const misspelt = misspeltKeys(document);
  if (misspelt.length > 0)
    throw new Error(`keys that are not in snake_case: ${misspelt.join(", ")}`);
  if (typeof document.ok !== "boolean" || document.version !== readVersion())
    throw new Error(`a document without ok or version: ${stdout}`);
}
