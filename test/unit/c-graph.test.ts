import { expect, test } from "vitest";
import { cGraph, circlesOf, readCGraph } from "../helpers/c-graph.js";

test("a C file points at those that define what it uses", () => {
  const graph = cGraph(
    new Map([
      [
        "user.c",
        `#include "shared.h"
static int own(void) { return 1; }
/* not_used() */
const char *user_name(int (*pick)(void), int n)
{
    log_line("not_used()");
    return g_table[own()].not_used + CHECK(n) + shared_size();
}
#define X(name) do_##name,
static action_t *const s_actions[] = {ALL(X)};
static void end(void)
{
}
`,
      ],
      [
        "table.c",
        "static int own(void)\n{\n    return own();\n}\nconst entry_t g_table[2][N] = {{1}, {2}};\n",
      ],
      ["log.c", "BaseType_t log_line(const char *text)\n{\n    return pdTRUE;\n}\n"],
      ["check.c", "int check_failed(int line)\n{\n    return helper(line);\n}\n"],
      ["size.c", "size_t real_size(void) { return 0; }\nsize_t own(void)\n{\n    return 0;\n}\n"],
      ["walk.c", "bool do_walk(void)\n{\n    return true;\n}\n"],
      ["run.c", "bool do_run(void)\n{\n    return true;\n}\n"],
      ["unused.c", "void not_used(void)\n{\n}\nextern int g_table;\nuint32_t g_unused;\n"],
      [
        "shared.h",
        `int not_used(void);
#define ALL(X) X(walk) X(stand)
#define CHECK(n) ((n) ? 0 : \\
                  check_failed(n))
static inline size_t shared_size(void)
{
    return real_size();
}
`,
      ],
    ]),
  );
  expect(graph.get("user.c")?.toSorted()).toEqual([
    "check.c",
    "log.c",
    "size.c",
    "table.c",
    "walk.c",
  ]);
  expect(graph.get("table.c")).toEqual([]);
  expect(graph.has("shared.h")).toBe(false);
});

test("circles are found, each once and as a whole", () => {
  const graph = new Map([
    ["start.c", ["a.c"]],
    ["a.c", ["b.c", "end.c"]],
    ["b.c", ["c.c", "a.c"]],
    ["c.c", ["a.c"]],
    ["x.c", ["y.c", "c.c"]],
    ["y.c", ["x.c"]],
    ["end.c", []],
  ]);
  expect(circlesOf(graph)).toEqual([
    ["a.c", "b.c", "c.c"],
    ["x.c", "y.c"],
  ]);
});

test.each(["firmware/main", "firmware/host/src"])("the files of %s have no circle", (folder) => {
  const graph = readCGraph(folder, "firmware/host/include");
  expect(graph.size).toBeGreaterThan(40);
  expect(circlesOf(graph)).toEqual([]);
});
