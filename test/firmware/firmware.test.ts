import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { buildProject } from "../helpers/cmake.js";

const run = promisify(execFile);
const source = fileURLToPath(new URL(".", import.meta.url));
const build = fileURLToPath(new URL("../../.cache/firmware-tests", import.meta.url));

const TESTS = [
  "test_prov_sm",
  "test_wifi_reasons",
  "test_provision_request",
  "test_form",
  "test_clock_judge",
  "test_dns_answer",
  "test_backend_answer",
  "test_http",
  "test_records",
  "test_small",
  "test_judges",
  "test_certificate_check",
  "test_certificate_read",
  "test_tls_handshake",
  "test_store_power",
  "test_store_room",
  "test_store_migration",
  "test_runner",
  "test_main",
  "test_button",
];

beforeAll(() => buildProject(source, build));

describe("the pure parts of the firmware, under ASan and UBSan", () => {
  test.each(TESTS)("%s", async (name) => {
    const { stdout, stderr } = await run(`${build}/${name}`, [`${build}/certificates`]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/: [1-9]\d* checks, 0 failures\n$/);
  });

  test("the list above is the list of CMake", async () => {
    const { stdout } = await run("ctest", ["--test-dir", build, "-N"]);
    const names = [...stdout.matchAll(/Test +#\d+: (\S+)/g)].map((match) => match[1]);
    expect(names.sort()).toEqual([...TESTS].sort());
  });
});
