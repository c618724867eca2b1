import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createLineSplitter } from "../../cli/lines.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { REPOSITORY } from "../helpers/prov.js";
import { rawRequest } from "../helpers/raw-http.js";
import { API_CASES, FLASH_CASES } from "./nvs-cases.js";

/*
 * The firmware's storage and its HTTP handlers on ESP-IDF itself: nvs_flash, esp_partition and esp_http_server as it
 * builds them for a Linux process (5.5 and later). `npm run test:idf`, in a shell that has ESP-IDF's export.sh. The
 * server is on port 80, so it wants a container or a network namespace of its own, and root.
 */

const run = promisify(execFile);
const BUILD = join(REPOSITORY, ".cache", "idf-linux");
const ELF = join(BUILD, "prov_idf_linux.elf");
const idf = process.env.IDF_PATH ?? "";
const isWanted = process.env.PROV_TEST_IDF !== undefined;

async function build(): Promise<void> {
  expect(existsSync(join(idf, "tools", "idf.py")), "IDF_PATH leads to ESP-IDF").toBe(true);
  const project = join(REPOSITORY, "test", "firmware", "idf-linux");
  const args = ["-C", project, "-B", BUILD, `-DSDKCONFIG=${join(BUILD, "sdkconfig")}`];
  const linux = ["--preview", "-DIDF_TARGET=linux", "build"];
  await run("python", [join(idf, "tools", "idf.py"), ...args, ...linux], { maxBuffer: 1 << 26 });
}

/** Runs one of the programs of app_main.c to its end. @throws with its words when a check failed */
async function program(...words: readonly string[]): Promise<string> {
  const env = { ...process.env, PROV_TEST: words.join(" ") };
  const { stdout } = await run(ELF, [], { env, maxBuffer: 1 << 24 });
  return stdout;
}

describe.runIf(isWanted)("on ESP-IDF itself", () => {
  const folder = temporaryDir();
  beforeAll(build, longer(900_000));

  test.each(API_CASES)("the NVS API: %s", async (name) => {
    await program("nvs_api_test", name, join(folder, `${name}.bin`));
  });

  test.each(FLASH_CASES)("the flash below the NVS: %s", async (name) => {
    await program("nvs_flash_test", name, join(folder, `${name}.bin`));
  });

  test("NVS matches a model over thousands of random operations", async () => {
    await program("nvs_model_test", "model", join(folder, "model.bin"));
  });

  test("device_store has room for the longest of everything", async () => {
    await program("test_store_room", folder);
  });

  test("device_store is sound after a power cut in any write", async () => {
    const stdout = await program("test_store_power", folder);
    const cuts = [...stdout.matchAll(/(\d+) (?:cuts )?in /g)].map((match) => Number(match[1]));
    expect(cuts).toHaveLength(4);
    expect(cuts.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(500);
  });

  describe("esp_http_server and the handlers", () => {
    const HOST = "Host: 127.0.0.1";
    const JSON_TYPE = "Content-Type: application/json";
    /** A handler is not called before the first byte of a body is there. */
    const BODY = "\r\nf";
    const SCOPE = '{"scope":"wifi"}';

    /** The server, and the next line that it prints. */
    async function portal(): Promise<{ base: string; next: () => Promise<string> }> {
      const words = `portal ${join(temporaryDir(), "flash.bin")}`;
      const child = spawn(ELF, [], { env: { ...process.env, PROV_TEST: words } });
      onTestFinished(() => {
        child.kill("SIGKILL");
      });
      const lines: string[] = [];
      let wake = () => {};
      const splitter = createLineSplitter((line) => {
        lines.push(line);
        wake();
      });
      child.stdout.on("data", splitter.feed);
      const next = async (): Promise<string> => {
        while (lines.length === 0)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        return lines.shift() ?? "";
      };
      while ((await next()) !== "ready") {}
      const base = "http://127.0.0.1";
      // It turns away whoever comes in its first rounds.
      const first = `GET /status HTTP/1.1\r\n${HOST}\r\n\r\n`;
      while ((await rawRequest(base, first)).status === 0) {}
      return { base, next };
    }

    const CASES: readonly (readonly [what: string, status: number, ...lines: string[]])[] = [
      ["the status", 200, "GET /status HTTP/1.1", HOST],
      ["the networks", 200, "GET /scan HTTP/1.1", HOST],
      ["the page", 200, "GET / HTTP/1.1", HOST],
      ["an unknown path", 404, "GET /nope HTTP/1.1", HOST, "Accept: application/json"],
      ["a method that it does not have", 405, "DELETE /status HTTP/1.1", HOST],
      ["another host", 303, "GET /status HTTP/1.1", "Host: evil.example"],
      ["no host", 303, "GET /status HTTP/1.1"],
      ["another site's page", 303, "GET /status HTTP/1.1", HOST, "Origin: http://evil.example"],
      ["a host in the target", 303, "GET http://evil.example/status HTTP/1.1", HOST],
      [
        "a target of 496 bytes",
        404,
        `GET /${"a".repeat(495)} HTTP/1.1`,
        HOST,
        "Accept: application/json",
      ],
      ["a longer one", 431, `GET /${"a".repeat(496)} HTTP/1.1`, HOST],
      ["a header of 3000 bytes", 431, "GET /status HTTP/1.1", HOST, `X-Long: ${"b".repeat(3000)}`],
      ["a blank before the colon", 400, "GET /status HTTP/1.1", "Host : 127.0.0.1"],
      ["a byte that is no ASCII in the target", 400, "GET /st\xe4tus HTTP/1.1", HOST],
      ["a method that nobody has", 400, "FOO /status HTTP/1.1", HOST],
      ["no HTTP", 400, "GET /status SMTP/1.1", HOST],
      ["a body in chunks", 411, "POST /reset HTTP/1.1", HOST, "Transfer-Encoding: chunked", BODY],
      ["a length that is none", 400, "POST /reset HTTP/1.1", HOST, "Content-Length: fifteen", BODY],
      [
        "a length beyond all",
        413,
        "POST /reset HTTP/1.1",
        HOST,
        "Content-Length: 4294967311",
        BODY,
      ],
      ["two lengths", 400, "POST /reset HTTP/1.1", HOST, "Content-Length: 0", "Content-Length: 0"],
      ["no scope", 400, "POST /reset HTTP/1.1", HOST, JSON_TYPE, "Content-Length: 0"],
    ];

    test.each(CASES)("%s: %i", async (_what, status, ...lines) => {
      const { base } = await portal();
      const answer = await rawRequest(base, [...lines, "", ""].join("\r\n"));
      expect(answer.status, answer.head).toBe(status);
    });

    test("a request in pieces reaches its handler, and the next one on the same connection", async () => {
      const { base, next } = await portal();
      const head = ["POST /reset HTTP/1.1", HOST, JSON_TYPE, `Content-Length: ${SCOPE.length}`];
      const answer = await rawRequest(base, [...head, "", SCOPE].join("\r\n"));
      expect([answer.status, JSON.parse(answer.body).status]).toEqual([200, "ok"]);
      expect(await next()).toMatch(/^posted \d+$/);
    });
  });
});
