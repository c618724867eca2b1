import { expect, test } from "vitest";
import { hasColor } from "../../cli/terminal/color.js";

test.each([
  ["a terminal", {}, true, true],
  ["no terminal", {}, false, false],
  ["TERM=dumb", { TERM: "dumb" }, true, false],
  ["NO_COLOR", { NO_COLOR: "1" }, true, false],
  ["an empty NO_COLOR, which is none", { NO_COLOR: "" }, true, true],
  ["FORCE_COLOR=0", { FORCE_COLOR: "0" }, true, false],
  ["FORCE_COLOR=false", { FORCE_COLOR: "false" }, true, false],
  ["FORCE_COLOR=1 without a terminal", { FORCE_COLOR: "1" }, false, true],
  ["FORCE_COLOR=2 without a terminal", { FORCE_COLOR: "2" }, false, true],
  ["FORCE_COLOR=3 without a terminal", { FORCE_COLOR: "3" }, false, true],
  ["FORCE_COLOR=1 at TERM=dumb", { FORCE_COLOR: "1", TERM: "dumb" }, true, true],
  ["FORCE_COLOR=1 and NO_COLOR", { FORCE_COLOR: "1", NO_COLOR: "1" }, false, true],
  [
    "an empty FORCE_COLOR, which is none, and NO_COLOR",
    { FORCE_COLOR: "", NO_COLOR: "1" },
    true,
    false,
  ],
])("%s", (_name, env, isTTY, expected) => {
  expect(hasColor({ flag: true, env }, { isTTY })).toBe(expected);
  expect(hasColor({ flag: false, env }, { isTTY })).toBe(false);
});
