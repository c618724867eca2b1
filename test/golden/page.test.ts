import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DEVICE_FAILURES } from "../../codegen/failures.js";
import {
  buildAnswer,
  buildPage,
  emitPageInc,
  inflatePage,
  isPageCurrent,
  PAGE_INC_PATH,
  PAGE_SOURCE_DIR,
  PAGE_SOURCES,
  type PageSources,
  pageBytes,
} from "../../codegen/page.js";
import { REFUSALS } from "../../codegen/refusals.js";
import { DEVICE_STATES } from "../../codegen/states.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const sources = Object.fromEntries(
  PAGE_SOURCES.map((name) => [name, readFileSync(join(ROOT, PAGE_SOURCE_DIR, name), "utf8")]),
) as PageSources;
const committed = readFileSync(join(ROOT, PAGE_INC_PATH), "utf8");

/** `page.inc` with other compressed bytes. */
function withBytes(inc: string, bytes: Iterable<number>): string {
  const text = [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, "0")},`).join("");
  return inc.replace(/(PAGE_GZIP\[\] = \{\n)[^}]*(\};)/, (_all, head, tail) => head + text + tail);
}

describe("page.inc", () => {
  test("is current: `npm run generate` otherwise", () => {
    expect(isPageCurrent(committed, sources)).toBe(true);
  });

  test("holds at most 10 KiB, compressed without a time", () => {
    const bytes = pageBytes(committed);
    expect(bytes.length).toBeLessThanOrEqual(10 * 1024);
    expect(bytes.slice(0, 10)).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    expect(emitPageInc(sources)).toBe(emitPageInc(sources));
  });

  test("stays current when only zlib is another", () => {
    const other = withBytes(committed, gzipSync(buildPage(sources).html, { level: 1 }));
    expect(pageBytes(other).length).not.toBe(pageBytes(committed).length);
    expect(isPageCurrent(other, sources)).toBe(true);
  });

  test.each([
    ["the page", "index.html"],
    ["its style", "style.css"],
    ["its script", "page.js"],
    ["a module of its script", "networks.js"],
    ["the frame of the answers", "answer.html"],
    ["their style", "answer.css"],
  ] as const)("is stale when %s has changed", (_name, file) => {
    expect(isPageCurrent(committed, { ...sources, [file]: `${sources[file]}\nx` })).toBe(false);
  });

  test.each([
    ["other words", (text: string) => text.replace('X("locked", "', 'X("locked", "x')],
    ["other bytes", (text: string) => withBytes(text, gzipSync("<!doctype html>"))],
    ["broken bytes", (text: string) => withBytes(text, [1, 2, 3])],
    ["nothing", () => ""],
  ])("is stale with %s", (_name, change) => {
    expect(isPageCurrent(change(committed), sources)).toBe(false);
  });
});

describe("the page", () => {
  const hash = (text = "") => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const inside = (html: string, tag: string) =>
    new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1];

  test("may run the script and use the styles that it holds, and no others", () => {
    const { html, csp } = buildPage(sources);
    expect(csp).toContain(`script-src ${hash(inside(html, "script"))};`);
    expect(csp).toContain(`style-src ${hash(inside(html, "style"))};`);
    const answer = buildAnswer(sources);
    expect(answer.csp).toContain(`style-src ${hash(inside(answer.head, "style"))};`);
    expect(answer.csp).not.toContain("script-src");
    expect(inflatePage(committed)).toBe(html);
  });

  test("knows words for everything, in a script that no word can end", () => {
    const script = inside(buildPage(sources).html, "script") ?? "";
    expect(script).toContain('"wifi_wrong_password":"');
    expect(script).not.toMatch(/<\/?script|<!--/i);
  });

  test("knows how far each state has come that leads to success, and names no state that is none", () => {
    const script = inside(buildPage(sources).html, "script") ?? "";
    expect(script).toContain(
      '"STEP_OF_STATE":{"WIFI_CONNECTING":0,"WIFI_CONNECTED":1,"CHECK_CERTIFICATES":1,"SUBMIT_CSR":1,"MQTT_CONNECTING":2,"MQTT_CONNECTED":3}',
    );
    const named = [...sources["page.js"].matchAll(/state [!=]== "(\w+)"|state: "(\w+)"/g)];
    expect(named.length).toBeGreaterThan(3);
    for (const [, compared, set] of named)
      expect(Object.keys(DEVICE_STATES)).toContain(compared ?? set);
  });

  test("points at a field for failures and refusals that there are", () => {
    const tables = [/FIELD_OF_FAILURE = \{([^}]*)\}/, /const name = \{([^}]*)\}\[code\]/].map(
      (table) => [...(table.exec(sources["page.js"])?.[1] ?? "").matchAll(/(\w+):/g)],
    );
    const [failures = [], refusals = []] = tables.map((rows) => rows.map(([, code]) => code));
    expect(failures.length * refusals.length).toBeGreaterThan(0);
    expect(Object.keys(DEVICE_FAILURES)).toEqual(expect.arrayContaining(failures));
    expect(Object.keys(REFUSALS)).toEqual(expect.arrayContaining(refusals));
  });

  test("needs each of its marks exactly once", () => {
    const twice = `${sources["index.html"]}<i>/* style */</i>`;
    expect(() => buildPage({ ...sources, "index.html": twice })).toThrow(RangeError);
    expect(() => buildAnswer({ ...sources, "answer.html": "<main></main>" })).toThrow(RangeError);
  });
});
