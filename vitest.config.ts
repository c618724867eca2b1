import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { longer } from "./test/helpers/longer.js";
import { plainReporter } from "./test/support/plain-reporter.js";

/** serialport's native part works on the main thread only, which a worker thread is not. */
const NEEDS_PROCESS = ["test/unit/serial-pty.test.ts"];

export default defineConfig({
  resolve: { alias: { prov: fileURLToPath(new URL("./codegen/manifest.ts", import.meta.url)) } },
  test: {
    globalSetup: "test/support/temporary.ts",
    // Twice what a small machine has of cores: most of what an end-to-end test does is to wait.
    maxWorkers: 4,
    testTimeout: longer(180_000),
    hookTimeout: longer(300_000),
    reporters: ["default", plainReporter],
    projects: [
      {
        extends: true,
        test: {
          name: "threads",
          pool: "threads",
          include: ["test/**/*.test.ts"],
          exclude: NEEDS_PROCESS,
        },
      },
      { extends: true, test: { name: "processes", pool: "forks", include: NEEDS_PROCESS } },
    ],
  },
});
