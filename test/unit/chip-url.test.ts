import { describe, expect, test } from "vitest";
import { parseChipUrl, type UrlParts } from "../../codegen/chip-url.js";
import { httpInputs } from "../helpers/http-inputs.js";
import { at, complaintsOf } from "../helpers/manifest.js";

/** The recorded URLs, up to where a C string ends. */
const URLS = httpInputs().flatMap(([kind, input, outcome]) =>
  kind === "url" ? [{ url: input.split("\0")[0] ?? "", parts: outcome?.parts }] : [],
);

test("URLs are parsed as the chip's parser does it", () => {
  const judged = URLS.map(({ url }): [string, UrlParts | undefined] => [url, parseChipUrl(url)]);
  expect(judged).toEqual(URLS.map(({ url, parts }) => [url, parts]));
});

describe.each(["backend.url", "mqtt.uri"])("as %s", (path) => {
  test("nothing is taken that the chip's parser refuses", () => {
    const scheme = path === "backend.url" ? "https" : "mqtts";
    const candidates = URLS.map(({ url, parts }) => {
      const own = url.replace(/^https:/, `${scheme}:`);
      return { own, isRefused: parts === undefined };
    });
    const taken = candidates.filter(({ own }) => complaintsOf(at(path, own)).length === 0);
    expect(taken.length).toBeGreaterThan(5);
    expect(taken.filter(({ isRefused }) => isRefused)).toEqual([]);
  });

  test.each([
    ["[::1]:28443", "an IPv6 address is of no use: the firmware gives its WiFi station none"],
    ["[2001:db8::1]", "an IPv6 address is of no use"],
    ["[fe80::1%25eth0]:1", "an IPv6 address is of no use"],
    ["::1", "an IPv6 address is of no use"],
    ["my_backend.lan", 'ESP-IDF takes no "_" in the host of a URL'],
    ["_x", 'ESP-IDF takes no "_"'],
    ["bücher.example", "names in other letters are written in punycode: xn--bcher-kva.example"],
    ["a%41.example", "a host has no percent escapes"],
    ["user@h", "a user name has no place in it"],
    ["user:pass@h", "a user name has no place in it"],
    ["a..b", "a host has no empty part before, between or behind its dots"],
    ["h.example.", "a host has no empty part"],
    [".h", "a host has no empty part"],
    ["1.2.3", "that is no IPv4 address"],
    ["192.168.1.256", "that is no IPv4 address"],
    [`${"a".repeat(64)}.example`, "between the dots of a host are at most 63 bytes"],
    ["h:0", "a port is 1–65535"],
    ["h:65536", "a port is 1–65535"],
  ])("the host %s is refused with the reason", (authority, reason) => {
    const url = `${path === "backend.url" ? "https" : "mqtts"}://${authority}`;
    const [complaint, ...more] = complaintsOf(at(path, url));
    expect(more).toEqual([]);
    expect(complaint).toMatch(new RegExp(`^${path}: expected \\w+:// URL of .+ \\(.+\\), got `));
    expect(complaint).toContain(reason);
  });
});

test.each([
  ["2001:db8::1", "an IPv6 address is of no use"],
  ["zeit.bücher.example", "xn--bcher-kva"],
  ["pool..org", "a host has no empty part"],
  ["999.1.1.1", "that is no IPv4 address"],
])("the time server %s is refused with the reason", (server, reason) => {
  expect(complaintsOf(at("time.servers", ["pool.ntp.org", server]))).toEqual([
    expect.stringContaining(reason),
  ]);
});

test.each(["", "a b", "a:b", "a/b", "a\tb", "x".repeat(65)])(
  "the time server %j is refused",
  (server) => {
    expect(complaintsOf(at("time.servers", [server]))).toHaveLength(1);
  },
);
