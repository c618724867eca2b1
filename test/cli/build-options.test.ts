import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  BUILDABLE,
  build,
  buildFails,
  folderOf,
  idfStandIn,
  running,
  SUCCESS,
} from "../helpers/idf.js";
import { projectWith } from "../helpers/project.js";

describe("options that ESP-IDF does not know", () => {
  const MISSPELT = BUILDABLE.replace(
    "{ id:",
    `{ sdkconfig: { CONFIG_LWIP_MAX_SOCKET: 20, CONFIG_LOG_COLOURS: true }, id:`,
  );

  test("exit 3 naming them all, before anything is compiled, every time", async () => {
    const cwd = projectWith(MISSPELT);
    const idf = idfStandIn();
    idf.play(["configure", "unknown-symbols", "start", "end", "end-fits"]);
    for (const attempt of [1, 2]) {
      const { code, error } = await buildFails(cwd, idf);
      expect(code, `attempt ${attempt}`).toBe(3);
      expect(error).toMatchObject({ code: "manifest_invalid", stage: "manifest" });
      expect(error.message.split("\n")).toEqual([
        "sdkconfig.CONFIG_LWIP_MAX_SOCKET: this ESP-IDF has no such option",
        "sdkconfig.CONFIG_LOG_COLOURS: this ESP-IDF has no such option",
      ]);
      // CMake, which alone says it, would not run again otherwise.
      expect(existsSync(join(folderOf(idf.calls().at(-1)), "CMakeCache.txt"))).toBe(false);
    }
    expect(existsSync(join(cwd, ".prov", "devices", "fern", "build"))).toBe(false);
  });

  test("the compilation is not waited for", async () => {
    const idf = idfStandIn();
    idf.hang(["configure", "unknown-symbols"]);
    const { code } = await buildFails(projectWith(MISSPELT), idf);
    expect(code).toBe(3);
    await expect.poll(() => running(idf.pids())).toEqual([]);
  });

  test.each([
    ["are found by its menus where it says nothing, as 5.0 does", ["LWIP_MAX_SOCKET"]],
    ["are no others than those that it lacks", []],
  ])("%s", async (_name, lacks) => {
    const idf = idfStandIn({ release: "5.0" });
    idf.play(SUCCESS, { lacks });
    const { code, error } = await buildFails(projectWith(MISSPELT), idf);
    expect(code).toBe(lacks.length > 0 ? 3 : 0);
    expect(error?.message).toBe(
      lacks.length > 0
        ? "sdkconfig.CONFIG_LWIP_MAX_SOCKET: this ESP-IDF has no such option"
        : undefined,
    );
  });

  test("its menus too are looked at before the compilation", async () => {
    const idf = idfStandIn({ release: "5.0" });
    idf.hang(["configure"], { lacks: ["LOG_COLOURS"] });
    const { code } = await buildFails(projectWith(MISSPELT), idf);
    expect(code).toBe(3);
    await expect.poll(() => running(idf.pids())).toEqual([]);
  });

  test("one of an older name is none of them: ESP-IDF goes on writing it", async () => {
    const idf = idfStandIn({ release: "5.0" });
    const lacks = ["LWIP_MAX_SOCKET", "LOG_COLOURS"];
    const sdkconfig = { CONFIG_LWIP_MAX_SOCKET: "20", CONFIG_LOG_COLOURS: "y" };
    idf.play(SUCCESS, { lacks, sdkconfig });
    expect((await buildFails(projectWith(MISSPELT), idf)).code).toBe(0);
  });

  test("also when configuring fails because of it", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "unknown-symbols", "cmake-error"], { exit: 2 });
    const { code, error } = await buildFails(projectWith(MISSPELT), idf);
    expect(code).toBe(3);
    expect(error.message).toContain("CONFIG_LOG_COLOURS");
  });

  test("those that prov itself sets are passed over: releases differ", async () => {
    const idf = idfStandIn();
    idf.play(["configure", "unknown-symbols", "start", "end", "end-fits"]);
    expect((await build(projectWith(BUILDABLE), idf)).code).toBe(0);
  });
});
