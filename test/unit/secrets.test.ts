import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { SECRET_VARIABLES } from "../../cli/environment.js";
import { ProvError } from "../../cli/errors.js";
import { resolveSecret, type SecretSource, secretsOfRun } from "../../cli/secrets.js";
import { soundDevice } from "../helpers/manifest.js";

const never = new AbortController().signal;

const wifiPassword: SecretSource = {
  label: "WiFi password",
  flag: undefined,
  variable: "PROV_WIFI_PASSWORD",
  prompt: true,
  required: true,
};
const env = { PROV_WIFI_PASSWORD: "from the environment" };
const empty = () => Readable.from([]);

describe("where a secret comes from", () => {
  test("the flag before stdin before the environment", async () => {
    const input = () => Readable.from([Buffer.from("from stdin\n")]);
    const all = { ...wifiPassword, flag: "from the flag", fromStdin: true };
    expect(await resolveSecret(all, env, never, input())).toBe("from the flag");
    expect(await resolveSecret({ ...wifiPassword, fromStdin: true }, env, never, input())).toBe(
      "from stdin",
    );
    expect(await resolveSecret(wifiPassword, env, never, input())).toBe("from the environment");
  });

  test("an empty variable is none", async () => {
    const unset = { PROV_WIFI_PASSWORD: "" };
    await expect(resolveSecret(wifiPassword, unset, never, empty())).rejects.toMatchObject({
      code: "input_missing",
    });
    const optional = { ...wifiPassword, required: false };
    expect(await resolveSecret(optional, unset, never, empty())).toBeUndefined();
  });

  test("nothing at all: input_missing names the variable", async () => {
    const error: unknown = await resolveSecret(wifiPassword, {}, never, empty()).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ProvError);
    expect(error).toMatchObject({
      code: "input_missing",
      exitCode: 2,
      message: "no WiFi password given",
    });
    expect(error).toHaveProperty("hint", expect.stringContaining("PROV_WIFI_PASSWORD"));
  });
});

describe("a secret on stdin", () => {
  const source = { ...wifiPassword, fromStdin: true };

  test("without a line break and without an end is not read for ever", async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(16 * 1024, "x");
      })(),
    );
    const secret = await resolveSecret(source, env, never, endless);
    expect(secret?.length).toBe(80 * 1024);
  });

  const read = (...chunks: (string | Buffer)[]) =>
    resolveSecret(source, env, never, Readable.from(chunks.map((chunk) => Buffer.from(chunk))));

  test.each([
    ["ends at the line break", ["pass word \n", "more\n"], "pass word "],
    ["ends at CR LF", ["pass\r\n"], "pass"],
    ["ends with the stream", ["pass"], "pass"],
    ["comes in pieces", ["pa", "ss", "\nx"], "pass"],
  ])("%s", async (_name, chunks, expected) => {
    expect(await read(...chunks)).toBe(expected);
  });

  test("survives a character cut in two", async () => {
    const bytes = Buffer.from("schlüssel\n");
    const cut = bytes.indexOf(0xc3) + 1;
    expect(await read(bytes.subarray(0, cut), bytes.subarray(cut))).toBe("schlüssel");
  });

  test.each([
    ["nothing", []],
    ["an empty line", ["\n", "second"]],
  ])("%s is an error, not a network without password", async (_name, chunks) => {
    await expect(read(...chunks)).rejects.toMatchObject({
      code: "input_missing",
      message: "no WiFi password came on stdin",
    });
  });

  test("waiting for it can be interrupted", async () => {
    const stop = new AbortController();
    const input = new PassThrough();
    const waiting = resolveSecret(source, env, stop.signal, input);
    input.write("half a secr");
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("what no log of a run may show", () => {
  const env = Object.fromEntries(SECRET_VARIABLES.map((name) => [name, `value of ${name}`]));
  const manifest = soundDevice({
    id: "d",
    softAp: { password: "password of the AP", pairingSecret: "pairing secret" },
    mqtt: { username: "u", password: "the device's at the broker" },
  });
  const credentials = { password: "WiFi password", token: "the token", bearer: "the Bearer" };

  test("is all of it that the run was given, however it came", () => {
    const broker = { password: "the operator's" };
    expect(secretsOfRun({ env, manifest, credentials, broker })).toEqual([
      ...Object.values(env),
      "password of the AP",
      "pairing secret",
      "the device's at the broker",
      ...Object.values(credentials),
      "the operator's",
    ]);
  });

  test("is what there is, once", () => {
    const same = { password: "value of PROV_WIFI_PASSWORD" };
    expect(secretsOfRun({ env, credentials: same })).toEqual(Object.values(env));
    expect(secretsOfRun({ env: { PATH: "/bin", PROV_TOKEN: "" } })).toEqual([]);
  });
});
