import { expect, test } from "vitest";
import { buildFailed, createErrorFinder } from "../../cli/flow/build-errors.js";

/** The first error in an output that the tools wrote: recorded, or from their sources and published logs. */
function firstErrorOf(output: string): string | undefined {
  const finder = createErrorFinder();
  for (const line of output.split("\n")) finder.onLine(line);
  return finder.firstError();
}

const CALM =
  "-- Found Git\n[1/9] Building C object error.c.obj\nmain.c:3:1: warning: Error: unused\n";

test.each([
  [
    "idf.py",
    `ERROR: /usr/bin/python3 doesn't support asyncio. The issue can be worked around by re-running idf.py with the "--no-hints" argument.\nninja failed`,
    `ERROR: /usr/bin/python3 doesn't support asyncio. The issue can be worked around by re-running idf.py with the "--no-hints" argument.`,
  ],
  [
    "the component manager",
    "ERROR: Version solving failed:\n    - no versions of espressif/led_strip match >=99,<100\n    - project depends on espressif/led_strip (>=99,<100)\n\nHINT: look",
    "ERROR: Version solving failed: - no versions of espressif/led_strip match >=99,<100 - project depends on espressif/led_strip (>=99,<100)",
  ],
  [
    "the component manager in CMake",
    'CMake Error at /esp-idf/tools/cmake/component.cmake:250 (message):\n  ERROR: Cannot process component requirements.  Multiple candidates to\n  satisfy project requirements:\n\n    requirement: "wolfssl" candidates: "wolfssl, wolfssl__wolfssl"\n\n\n-- Configuring incomplete, errors occurred!',
    'CMake Error at /esp-idf/tools/cmake/component.cmake:250 (message): ERROR: Cannot process component requirements.  Multiple candidates to satisfy project requirements: requirement: "wolfssl" candidates: "wolfssl, wolfssl__wolfssl"',
  ],
  [
    "its Python requirements",
    "Error while checking requirement 'esp-idf-sbom'. Package was not found and is required by the application\nTo install",
    "Error while checking requirement 'esp-idf-sbom'. Package was not found and is required by the application",
  ],
  [
    "a Python script",
    "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n    import yaml\nModuleNotFoundError: No module named 'yaml'",
    "ModuleNotFoundError: No module named 'yaml'",
  ],
  [
    "Kconfig",
    "Traceback (most recent call last):\nkconfiglib.core.KconfigError: /p/Kconfig:3: error: couldn't parse 'bol \"x\"': unrecognized construct",
    "kconfiglib.core.KconfigError: /p/Kconfig:3: error: couldn't parse 'bol \"x\"': unrecognized construct",
  ],
  [
    "esptool",
    "esptool v5.0\nA fatal error occurred: Segment loaded at 0x3c020020 lands in same 64KB flash mapping as segment loaded at 0x3c000020.",
    "A fatal error occurred: Segment loaded at 0x3c020020 lands in same 64KB flash mapping as segment loaded at 0x3c000020.",
  ],
  ["gcc", "m.c:1:5: error: unknown type name 'in'", "m.c:1:5: error: unknown type name 'in'"],
  [
    "the assembler",
    "a.s: Assembler messages:\na.s:1: Error: no such instruction: `foo %eax'",
    "a.s:1: Error: no such instruction: `foo %eax'",
  ],
  [
    "the linker without a library",
    "/usr/bin/ld: cannot find -lnope: No such file or directory\ncollect2: error: ld returned 1 exit status",
    "/usr/bin/ld: cannot find -lnope: No such file or directory",
  ],
  [
    "the linker without a symbol",
    "ld: main.c:7:(.text+0x2): undefined reference to `nope'\ncollect2: error: ld returned 1 exit status",
    "ld: main.c:7:(.text+0x2): undefined reference to `nope'",
  ],
  [
    "CMake without ninja",
    'CMake Error: CMake was unable to find a build program corresponding to "Ninja".  CMAKE_MAKE_PROGRAM is not set.\nCMake Error: CMAKE_C_COMPILER not set, after EnableLanguage',
    'CMake Error: CMake was unable to find a build program corresponding to "Ninja".  CMAKE_MAKE_PROGRAM is not set.',
  ],
  [
    "ninja",
    "ninja: Entering directory `p'\nninja: error: loading 'build.ninja': No such file or directory",
    "ninja: error: loading 'build.ninja': No such file or directory",
  ],
  [
    "ninja without its folder",
    "ninja: fatal: chdir to '/none' - No such file or directory",
    "ninja: fatal: chdir to '/none' - No such file or directory",
  ],
])("the first error of %s is found, and no line before it", (_tool, output, expected) => {
  expect(firstErrorOf(CALM + output)).toBe(expected);
});

test("a message that never ends is cut, and one call stack is none of it", () => {
  const endless = `ERROR: all of these:\n${"more\n".repeat(100)}`;
  expect(firstErrorOf(endless)).toBe(`ERROR: all of these:${" more".repeat(8)}`);
  const stack =
    "CMake Error at a.cmake:312 (file):\n  file write failed:\n\n    /p/x.c\nCall Stack (most recent call first):\n  b.cmake:1 (c)";
  expect(firstErrorOf(stack)).toBe("CMake Error at a.cmake:312 (file): file write failed: /p/x.c");
});

test("a calm output has none", () => {
  expect(firstErrorOf(`${CALM}Build complete (0 errors, 0 warnings): /p\n`)).toBeUndefined();
});

test.each([
  ["gcc", "m.c:1:1: fatal error: error closing /tmp/x.s: No space left on device", "ENOSPC"],
  ["as", "/tmp/x.s: Fatal error: can't write 11 bytes to m.o: 'No space left on device'", "ENOSPC"],
  ["ld", "/usr/bin/ld: final link failed: No space left on device", "ENOSPC"],
  ["CMake", "  file write failed (No space left on device):", "ENOSPC"],
  ["Python", "OSError: [Errno 28] No space left on device", "ENOSPC"],
  ["a quota", "ld: final link failed: Disk quota exceeded", "EDQUOT"],
  ["a read-only disk", "ninja: error: opening build log: Read-only file system", "EROFS"],
])("a full disk is no error of the code: %s", (_tool, line, name) => {
  const error = buildFailed("idf.py", 2, ["FAILED: x", line, "ninja: build stopped"], line);
  expect(error).toMatchObject({ code: "file_inaccessible", exitCode: 10 });
  expect(error.message).toContain(name);
  expect(error.message).toContain(line.trim());
});
