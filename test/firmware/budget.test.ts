import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../codegen/limits.js";
import { compileForStacks, type Frames, stackOf } from "../attack/object-stacks.js";
import { type Credentials, DEVICE_ID, openRig, type Rig } from "../attack/rig.js";
import { FIRMWARE_MAIN, firmwareFile } from "../helpers/firmware-main.js";
import { longer } from "../helpers/longer.js";

const HEAP_MAX = 16 * 1024;

/** Where each task enters our code. The stack's size is the named constant of the file, or bytes. */
const TASKS: readonly {
  readonly task: string;
  readonly entries: readonly string[];
  readonly stack: readonly [file: string, constant: string] | number;
}[] = [
  { task: "main", entries: ["app_main"], stack: 6144 },
  { task: "prov", entries: ["runner_task"], stack: ["prov_runner.c", "STACK_SIZE"] },
  { task: "prov_net", entries: ["net_task", "on_http_event"], stack: ["net_jobs.c", "STACK_SIZE"] },
  {
    task: "httpd",
    entries: [
      ...["on_scan", "on_status", "on_provision", "on_reset", "on_http_error"],
      ...["http_page_get", "http_page_post", "http_page_progress"],
      ...["on_request", "http_session_open", "receive_in_time", "send_in_time", "pass_round"],
    ],
    stack: ["http_api.c", "STACK_SIZE"],
  },
  { task: "mqtt", entries: ["on_mqtt"], stack: ["mqtt_link.c", "TASK_STACK"] },
  {
    task: "sys_evt",
    entries: ["on_wifi", "on_ip", "on_scan_done", "on_start", "on_stop"],
    stack: 4096,
  },
  { task: "esp_timer", entries: ["warn"], stack: 3584 },
  { task: "captive_dns", entries: ["run"], stack: ["captive_dns.c", "STACK_SIZE"] },
];

function stackSize(stack: (typeof TASKS)[number]["stack"]): number {
  if (typeof stack === "number") return stack;
  const [file, constant] = stack;
  const text = readFileSync(firmwareFile(file), "utf8");
  return Number(new RegExp(`#define ${constant} (\\d+)`).exec(text)?.[1]);
}

function isGcc(): boolean {
  return execFileSync("gcc", ["--version"], { encoding: "utf8" }).includes("Free Software");
}

describe.runIf(isGcc())("the compiled objects", () => {
  let frames: Frames;
  beforeAll(async () => {
    frames = await compileForStacks();
  });

  it.each(TASKS)("leave the task $task room on its stack", ({ task, entries, stack }) => {
    const { largest, deepest } = stackOf(frames, entries);
    const size = stackSize(stack);
    process.stdout.write(
      `task ${task}: largest frame ${largest.bytes} (${largest.name}), deepest own chain ${deepest}, of ${size} bytes\n`,
    );
    expect(size).toBeGreaterThan(0);
    expect(largest.bytes).toBeLessThan(size);
    // The other half is for what our code calls: printf, cJSON, TLS.
    expect(deepest).toBeLessThan(size / 2);
  });

  it("belong to the tasks above, all of them", () => {
    const sources = execFileSync("grep", ["-rhoE", "xTaskCreate|stack_size =", FIRMWARE_MAIN], {
      encoding: "utf8",
    });
    expect(sources.trim().split("\n")).toHaveLength(5);
  });
});

/** Whatever a request can hold, in its longest form. */
function longest(rig: Rig, network: number): Credentials {
  const { provisioningTokenMaxBytes, bearerMaxBytes, attemptIdMaxBytes } = LIMITS;
  const { attemptId, ...credentials } = rig.credentials(network);
  return {
    ...credentials,
    token: rig.lab.issueToken(DEVICE_ID, provisioningTokenMaxBytes),
    bearer: "b".repeat(bearerMaxBytes),
    attemptId: attemptId.padEnd(attemptIdMaxBytes, "-"),
  };
}

it(
  "a provisioning with the longest tokens holds less than 16 KiB of heap of our own",
  async () => {
    const rig = await openRig("heap", { variant: "heap" });
    try {
      rig.eraseNvs();
      const online = rig.outcome();
      await rig.powerOn();
      await rig.get("/scan");
      await rig.provision(longest(rig, 0));
      expect(await online).toBe("online");
      await rig.get("/status");
      const again = rig.outcome();
      await rig.provision(longest(rig, 1));
      expect(await again).toBe("online");
      const peak = Number(readFileSync(rig.heapFile, "utf8"));
      process.stdout.write(`heap peak of our own code: ${peak} of ${HEAP_MAX} bytes\n`);
      expect(peak).toBeGreaterThan(1000);
      expect(peak).toBeLessThan(HEAP_MAX);
    } finally {
      await rig.stop();
    }
  },
  longer(120_000),
);
