import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deadline } from "../../cli/time/deadline.js";
import { REPOSITORY } from "../helpers/prov.js";

test("aborts with a TimeoutError", async () => {
  const signal = deadline(5);
  await expect.poll(() => signal.aborted).toBe(true);
  expect(signal.reason).toBeInstanceOf(DOMException);
  expect(signal.reason).toMatchObject({ name: "TimeoutError" });
});

test("fires within a combined signal after garbage was collected", () => {
  const script = `
    import { deadline } from ${JSON.stringify(join(REPOSITORY, "dist", "cli", "time", "deadline.js"))};
    const signal = (() => AbortSignal.any([new AbortController().signal, deadline(200)]))();
    setTimeout(gc, 50);
    setTimeout(() => process.stdout.write("never"), 5000).ref();
    signal.addEventListener("abort", () => { process.stdout.write("fired"); process.exit(0); });
  `;
  const args = ["--expose-gc", "--input-type=module", "-e", script];
  expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toBe("fired");
});

test("aborts as the others do, with their reason", () => {
  const other = new AbortController();
  const signal = deadline(60_000, new AbortController().signal, other.signal);
  expect(signal.aborted).toBe(false);
  other.abort("enough");
  expect(signal.reason).toBe("enough");
});

test("nobody makes one, or a pause, some other way", () => {
  const sources = readdirSync(join(REPOSITORY, "cli"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({ name, text: readFileSync(join(REPOSITORY, "cli", name), "utf8") }));
  const holding = (text: string) =>
    sources.filter((source) => source.text.includes(text)).map(({ name }) => name);
  expect(holding("AbortSignal.timeout(")).toEqual([]);
  expect(holding("import { setTimeout")).toEqual(["time/wait.ts"]);
});
