import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { joinBoard } from "../../cli/flow/join.js";
import { virtualWifi } from "../../cli/lab/air/virtual-wifi.js";
import { type Progress, silent } from "../../cli/terminal/progress.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { type AnnouncedBoard, announceBoard } from "../helpers/announced-board.js";
import { failure } from "../helpers/failure.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";

const MINE = "greenhouse-7";

let airDir: string;
let boards: AnnouncedBoard[];

beforeEach(() => {
  airDir = temporaryDir();
  mkdirSync(join(airDir, "aps"));
  boards = [];
});
afterEach(() => {
  for (const each of boards) each.close();
});

async function board(
  suffix: string,
  deviceId: string,
  password?: string,
  more?: string,
): Promise<AnnouncedBoard> {
  const made = await announceBoard(airDir, suffix, deviceId, password, more);
  boards.push(made);
  return made;
}

function joinMine(progress: Progress = silent) {
  return joinBoard({
    wifi: virtualWifi(airDir, { pollIntervalMs: 5 }),
    manifest: { ...DEFAULT_MANIFEST, id: MINE },
    timeoutMs: longer(20_000),
    signal: new AbortController().signal,
    progress,
  });
}

test("of several boards the one with the manifest's id is joined; the others are asked for their status only", async () => {
  const first = await board("AAAA01", "somebody-elses");
  await board("AAAA02", "locked", "another password");
  await board("AAAA03", MINE);
  const joined = await joinMine();
  expect(joined.apSsid).toBe("ESP32-Prov-AAAA03");
  expect(joined.status.deviceId).toBe(MINE);
  expect(first.asked).toEqual(["GET /status"]);
});

test("none of several is the one: what each answered is listed", async () => {
  await board("AAAA01", "somebody-elses");
  await board("AAAA02", "locked", "another password");
  const error = await failure(joinMine());
  expect(error).toMatchObject({ code: "ap_ambiguous", exitCode: 6 });
  const message = String(error);
  expect(message).toMatch(/ESP32-Prov-AAAA01: .*"somebody-elses"/);
  expect(message).toMatch(/ESP32-Prov-AAAA02: .*refused the password/);
});

test("a name that is made to look like more lines of the list is one line of it", async () => {
  await board("AAAA01", "somebody-elses");
  await board("AAAA02", "locked", "another password", "\n::error::x\u202e");
  const error = await failure(joinMine());
  expect(error).toMatchObject({ code: "ap_ambiguous" });
  expect(String(error).split("\n")).toHaveLength(3);
  expect(String(error)).toContain("ESP32-Prov-AAAA02\\u{a}::error::x\\u{202e}: ");
});

test("the only board's own failure is the error", async () => {
  await board("AAAA01", "somebody-elses");
  await expect(joinMine()).rejects.toMatchObject({ code: "device_mismatch", exitCode: 6 });
});

test("a board that shows up while another one is asked is found", async () => {
  const first = await board("AAAA01", "somebody-elses");
  let asked = 0;
  first.onRequest = () => {
    asked += 1;
    if (asked === 1) void board("AAAA02", MINE);
  };
  expect((await joinMine()).apSsid).toBe("ESP32-Prov-AAAA02");
});

test("progress names the AP that is being joined, and the one that was", async () => {
  await board("AAAA01", "somebody-elses");
  await board("AAAA02", MINE);
  const said: string[] = [];
  const task = {
    update: ({ text }: { text?: string }) => void said.push(text ?? ""),
    done: (text?: string) => void said.push(`done: ${text}`),
    failed: (text?: string) => void said.push(`failed: ${text}`),
  };
  await joinMine({ ...silent, task: () => task });
  expect(said).toEqual([
    "ESP32-Prov-…",
    "ESP32-Prov-AAAA01",
    "ESP32-Prov-AAAA02",
    "done: ESP32-Prov-AAAA02",
  ]);
});
