import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { deviceWorkspace, type Workspace } from "../../cli/config/workspace.js";
import { ProvError } from "../../cli/errors.js";
import { applyOverrides, generateConfig } from "../../cli/flow/codegen.js";
import { makeKeys, requireKeys } from "../../cli/flow/keys.js";
import type { Identity } from "../../cli/pki/identity.js";
import { DEFAULT_MANIFEST, GOLDEN_CA, GOLDEN_MANIFEST } from "../golden/golden-device.js";
import { temporaryDir } from "../helpers/project.js";

const FILES = ["device_keys.h", "sdkconfig.defaults", "sdkconfig.h"];

let root: string;
let workspace: Workspace;
let identity: Identity;
beforeEach(async () => {
  root = temporaryDir();
  workspace = deviceWorkspace(root, GOLDEN_MANIFEST.id);
  identity = await makeKeys(root, GOLDEN_MANIFEST, false);
});

function thrown(work: () => unknown): ProvError {
  try {
    work();
  } catch (error) {
    if (error instanceof ProvError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("writes the configuration, readable by its owner alone, and the pointer for idf.py", () => {
  const config = generateConfig(GOLDEN_MANIFEST, identity, workspace);
  expect(config.dir).toBe(workspace.configDir);
  expect(readdirSync(config.dir).sort()).toEqual(FILES);
  for (const file of FILES) expect(statSync(join(config.dir, file)).mode & 0o777).toBe(0o600);
  expect(readFileSync(workspace.firmwareCmake, "utf8")).toContain(
    `set(PROV_CONFIG_DIR [==[${config.dir}]==])`,
  );
  expect(config.changedFiles).toHaveLength(4);
});

test("a second run changes nothing, a changed field only the files that hold it", () => {
  generateConfig(GOLDEN_MANIFEST, identity, workspace);
  expect(generateConfig(GOLDEN_MANIFEST, identity, workspace).changedFiles).toEqual([]);
  const changed = { ...GOLDEN_MANIFEST, softAp: { ...GOLDEN_MANIFEST.softAp, channel: 11 } };
  expect(generateConfig(changed, identity, workspace).changedFiles).toEqual([
    join(workspace.configDir, "sdkconfig.defaults"),
    join(workspace.configDir, "sdkconfig.h"),
  ]);
});

test("writes nothing at all when one file cannot be made", () => {
  const broken = { ...identity, csrPem: "not a CSR" };
  expect(() => generateConfig(GOLDEN_MANIFEST, broken, workspace)).toThrow(/DEVICE_CSR_PEM/);
  expect(readdirSync(join(root, ".prov", "devices", GOLDEN_MANIFEST.id))).toEqual(["identity"]);
});

test("warns of an AP that every neighbour can use, and of none that has a secret of its own", () => {
  const warningsOf = (softAp: Partial<typeof DEFAULT_MANIFEST.softAp>) =>
    generateConfig(
      { ...GOLDEN_MANIFEST, softAp: { ...DEFAULT_MANIFEST.softAp, ...softAp } },
      identity,
      workspace,
    ).warnings.join();
  expect(warningsOf({})).toMatch(/softAp\.password is the default.*"per-device"/);
  expect(warningsOf({ pairingSecret: "of the label" })).toBe("");
  expect(warningsOf({ password: "of-the-label" })).toBe("");
});

test("warns of placeholders", () => {
  expect(generateConfig(GOLDEN_MANIFEST, identity, workspace).warnings).toEqual([]);
  const [first, second] = generateConfig(DEFAULT_MANIFEST, identity, workspace).warnings;
  expect(first).toContain("backend.url is still a placeholder");
  expect(second).toContain("mqtt.uri is still a placeholder");
});

describe("check", () => {
  const check = () => generateConfig(GOLDEN_MANIFEST, identity, workspace, { check: true });

  test("passes on current files and writes nothing", () => {
    generateConfig(GOLDEN_MANIFEST, identity, workspace);
    rmSync(workspace.firmwareCmake);
    expect(check().changedFiles).toEqual([]);
    expect(readdirSync(join(root, ".prov")).sort()).toEqual([".gitignore", "devices"]);
  });

  test("lists the files that are missing or differ", () => {
    generateConfig(GOLDEN_MANIFEST, identity, workspace);
    rmSync(join(workspace.configDir, "sdkconfig.h"));
    writeFileSync(join(workspace.configDir, "device_keys.h"), "edited");
    const error = thrown(check);
    expect([error.code, error.exitCode]).toEqual(["codegen_stale", 3]);
    expect(error.message).toContain(join(workspace.configDir, "sdkconfig.h"));
    expect(error.message).toContain(join(workspace.configDir, "device_keys.h"));
    expect(error.message).not.toContain("sdkconfig.defaults");
    expect(readdirSync(workspace.configDir)).not.toContain("sdkconfig.h");
  });

  test("notices before anything was generated", () => {
    expect(thrown(check).code).toBe("codegen_stale");
    expect(() => statSync(workspace.configDir)).toThrow(/ENOENT/);
  });
});

describe("requireKeys", () => {
  test("hands over what makeKeys made", () => {
    expect(requireKeys(root, GOLDEN_MANIFEST)).toEqual({ ...identity, created: false });
  });

  test("makes nothing", () => {
    expect(thrown(() => requireKeys(root, DEFAULT_MANIFEST)).code).toBe("codegen_stale");
    expect(readdirSync(join(root, ".prov", "devices"))).toEqual([GOLDEN_MANIFEST.id]);
  });
});

describe("overrides", () => {
  const OVERRIDES = {
    backendUrl: "https://127.0.0.1:4433",
    backendCa: GOLDEN_CA,
    mqttUri: "mqtts://127.0.0.1:8883",
  };

  test("take the place of the manifest's fields", () => {
    const manifest = applyOverrides(DEFAULT_MANIFEST, OVERRIDES);
    expect(manifest).toEqual({
      ...DEFAULT_MANIFEST,
      backend: { ...DEFAULT_MANIFEST.backend, url: OVERRIDES.backendUrl, ca: GOLDEN_CA },
      mqtt: { ...DEFAULT_MANIFEST.mqtt, uri: OVERRIDES.mqttUri },
    });
  });

  test("leave alone what they do not name", () => {
    expect(applyOverrides(GOLDEN_MANIFEST, {})).toEqual(GOLDEN_MANIFEST);
  });

  test("are checked like the manifest", () => {
    const error = thrown(() => applyOverrides(DEFAULT_MANIFEST, { mqttUri: "mqtt://x" }));
    expect(error.code).toBe("manifest_invalid");
    expect(error.message).toContain("mqtt.uri: expected mqtts://");
  });

  test("go into a folder of their own, to which plain idf.py is not led", () => {
    generateConfig(GOLDEN_MANIFEST, identity, workspace);
    const dir = join(root, ".prov", "lab", "default", "config");
    const lab = { dir, overrides: OVERRIDES };
    const config = generateConfig(GOLDEN_MANIFEST, identity, workspace, { lab });
    expect(config.dir).toBe(dir);
    const header = (dir: string) => readFileSync(join(dir, "sdkconfig.h"), "utf8");
    expect(header(config.dir)).toContain(OVERRIDES.backendUrl);
    expect(header(workspace.configDir)).not.toContain(OVERRIDES.backendUrl);
    expect(readFileSync(workspace.firmwareCmake, "utf8")).toContain(workspace.configDir);
    expect(
      generateConfig(GOLDEN_MANIFEST, identity, workspace, { check: true }).changedFiles,
    ).toEqual([]);
  });
});

test("a path with every awkward character reaches CMake unharmed", () => {
  const odd = join(root, 'a "b" $c;d \\e');
  mkdirSync(odd);
  const there = deviceWorkspace(odd, GOLDEN_MANIFEST.id);
  generateConfig(GOLDEN_MANIFEST, identity, there);
  expect(readFileSync(there.firmwareCmake, "utf8")).toContain(`[==[${there.configDir}]==]`);
});
