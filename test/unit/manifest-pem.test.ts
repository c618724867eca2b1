import { createPrivateKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseDevice } from "../../codegen/manifest-schema.js";
import { GOLDEN_CA, GOLDEN_KEY } from "../golden/golden-device.js";
import { at, complaintsOf, soundDevice } from "../helpers/manifest.js";

describe("no secret is quoted", () => {
  test("user and password of a URL", () => {
    const [message] = complaintsOf(at("backend.url", "https://user:hunter@2@b/x"));
    expect(message).toMatch(/got "https:\/\/\*\*\*@b\/x"$/);
  });

  test.each([
    ["in one line", (key: string) => key.replaceAll("\n", "")],
    ["in one line, with spaces", (key: string) => key.replaceAll("\n", " ")],
    ["in its lines", (key: string) => key],
    [
      "behind the end of its first line",
      (key: string) => `PRIVATE KEY-----${key.replaceAll("\n", " ")}`,
    ],
  ])("a private key without its first and last line given as the CA, %s", (_name, change) => {
    // SEC1 begins with the key itself.
    const sec1 = createPrivateKey(GOLDEN_KEY).export({ type: "sec1", format: "pem" }).toString();
    for (const pem of [GOLDEN_KEY, sec1]) {
      const given = change(pem.replace(/-----.*-----\n/g, ""));
      const readFile = (path: string) => `${path}: no such file`;
      const result = parseDevice(at("backend.ca", given), { readFile });
      if (result.ok) throw new Error("it was taken");
      const text = result.issues.map(({ message }) => message).join("\n");
      expect(text).toContain(`got PEM text of ${given.length} bytes`);
      for (const part of pem.match(/[A-Za-z0-9+/]{16}/g) ?? []) expect(text).not.toContain(part);
    }
  });

  test("a private key given as the CA", () => {
    const [message] = complaintsOf(at("backend.ca", GOLDEN_KEY));
    expect(message).toBe(
      `backend.ca: expected PEM with certificates only, 16 KiB at most, or the path of such a file, relative to the manifest, got PEM text of ${GOLDEN_KEY.length} bytes: it holds a private key; name the file with the certificate`,
    );
  });

  test("a password set through sdkconfig beside its field", () => {
    expect(complaintsOf(at("sdkconfig.CONFIG_PROV_SOFTAP_PASSWORD", "hunter2hunter2"))).toEqual([
      "sdkconfig.CONFIG_PROV_SOFTAP_PASSWORD: expected the value in the field softAp.password alone, got 14 bytes (not shown)",
    ]);
  });
});

describe("the pinned CA", () => {
  test("comes out as blocks of PEM alone, whatever is around them", () => {
    const noisy = `# My CA\r\n${GOLDEN_CA.replaceAll("\n", "\r\n")}\r\nsubject=…\r\n${GOLDEN_CA}`;
    expect(soundDevice(at("backend.ca", noisy)).backend.ca).toBe(GOLDEN_CA + GOLDEN_CA);
  });

  test("may be indented like the code around it", () => {
    const literal = `\n${GOLDEN_CA.replace(/^/gm, "      ")}\n    `;
    expect(soundDevice(at("backend.ca", literal)).backend.ca).toBe(GOLDEN_CA);
  });

  test.each([
    ["an empty text", "", /got ""$/],
    ["white space", " \n ", /got " \\n "$/],
    ["a certificate that is cut off", GOLDEN_CA.slice(0, -40), /: it holds PEM without its line/],
    [
      "a certificate with a wrong byte count",
      GOLDEN_CA.replace("MIIB", "MIIC"),
      /: it holds a certificate that cannot be read; /,
    ],
    [
      "a key beside the certificate",
      GOLDEN_CA + GOLDEN_KEY,
      /: it holds a private key beside a certificate; /,
    ],
    [
      "more than 16 KiB",
      GOLDEN_CA.repeat(30),
      /: it holds 30 certificates in \d{5} bytes of PEM; keep the CA that signed the backend's certificate, or leave backend.ca out to trust the public CAs$/,
    ],
    [
      "lost line breaks",
      GOLDEN_CA.trim().replaceAll("\n", " "),
      /: it holds PEM whose line breaks have become spaces; /,
    ],
    [
      "base64 without armor",
      GOLDEN_CA.replace(/-----.*-----\n/g, "").replaceAll("\n", ""),
      /: it holds base64 without its first and last line; /,
    ],
    ["a path, where nobody reads files", "ca.pem", /got "ca.pem"$/],
  ])("refuses %s", (_name, ca, why) => {
    expect(complaintsOf(at("backend.ca", ca))).toEqual([expect.stringMatching(why)]);
  });

  test("of 16 KiB does not count what is around it", () => {
    const count = Math.floor((16 * 1024) / GOLDEN_CA.length);
    const noisy = `# comment\n${GOLDEN_CA}`.repeat(count);
    expect(complaintsOf(at("backend.ca", noisy))).toEqual([]);
    expect(complaintsOf(at("backend.ca", GOLDEN_CA.repeat(count + 1)))).toHaveLength(1);
  });
});
