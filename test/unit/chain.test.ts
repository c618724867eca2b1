import { expect, test, vi } from "vitest";
import { deviceWorkspace } from "../../cli/config/workspace.js";
import { ssidDigest } from "../../cli/device/ssid-digest.js";
import { ProvError } from "../../cli/errors.js";
import type { BoardSide, BootedBoard } from "../../cli/flow/board.js";
import type { BuiltImage } from "../../cli/flow/build.js";
import { runChain } from "../../cli/flow/chain.js";
import { createStageClock } from "../../cli/flow/stages.js";
import { silent } from "../../cli/terminal/progress.js";
import type { HostWifi } from "../../cli/wifi/host-wifi.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";
import { temporaryDir } from "../helpers/project.js";

const IMAGE: BuiltImage = {
  deviceId: DEFAULT_MANIFEST.id,
  target: "esp32",
  flasherArgs: "flasher_args.json",
  elf: "prov_firmware.elf",
  appBytes: 1,
  partitionBytes: 2,
};
const FLASHED = { port: "/dev/ttyFAKE" };
const NO_AP = new ProvError("wifi_no_adapter", "this machine has no WiFi");

/** A machine without WiFi. */
const wifi: HostWifi = {
  kind: "nmcli",
  scan: () => Promise.reject(NO_AP),
  join: () => Promise.reject(NO_AP),
  leave: vi.fn(async () => ({ changed: false, restored: true, network: null, message: "" })),
};

function fakeBoard(boot: Omit<BootedBoard, "wifi" | "pollMs">) {
  return {
    manifest: DEFAULT_MANIFEST,
    build: vi.fn(async () => IMAGE),
    confirm: vi.fn(),
    flash: vi.fn(async () => FLASHED),
    boot: vi.fn(async () => ({ wifi, pollMs: 10, ...boot })),
  } satisfies BoardSide<typeof FLASHED>;
}

async function run(board: BoardSide<typeof FLASHED>) {
  const root = temporaryDir();
  const clock = createStageClock();
  const result = runChain(
    {
      manifest: DEFAULT_MANIFEST,
      root,
      stateDir: root,
      workspace: deviceWorkspace(root, DEFAULT_MANIFEST.id),
    },
    board,
    {
      credentials: { ssid: "Home", password: "home-password", token: "t" },
      joinTimeoutMs: 1_000,
      timeoutMs: 1_000,
      clock,
      signal: new AbortController().signal,
      progress: silent,
    },
  );
  const [outcome] = await Promise.allSettled([result]);
  return { outcome, stages: clock.records.map(({ name, ok }) => `${name}${ok ? "" : " failed"}`) };
}

test("each stage gets what the one before made; a board that is online needs no more", async () => {
  const network = ssidDigest(DEFAULT_MANIFEST.id, "Home");
  const board = fakeBoard({ phase: "online", network });
  const { outcome, stages } = await run(board);
  expect(stages).toEqual(["keys", "codegen", "build", "flash", "boot", "mqtt"]);
  expect(outcome).toMatchObject({
    status: "fulfilled",
    value: { alreadyOnline: { notUsed: ["password", "token"] }, outcome: { reached: "mqtt" } },
  });
  expect(board.build).toHaveBeenCalledWith(
    expect.objectContaining({ warnings: expect.any(Array) }),
  );
  expect(board.flash).toHaveBeenCalledWith(IMAGE);
  expect(board.boot).toHaveBeenCalledWith(FLASHED);
});

test("an image that nobody agreed to is not flashed", async () => {
  const board = fakeBoard({});
  board.confirm.mockImplementation(() => {
    throw new ProvError("efuses_unconfirmed", "it burns eFuses");
  });
  const { outcome, stages } = await run(board);
  expect(outcome).toMatchObject({ reason: { code: "efuses_unconfirmed" } });
  expect(stages).toEqual(["keys", "codegen", "build"]);
  expect(board.flash).not.toHaveBeenCalled();
});

test("any other is joined the way that its boot tells, and the host's WiFi is put back", async () => {
  const { outcome, stages } = await run(fakeBoard({ phase: "waiting" }));
  expect(outcome).toMatchObject({ reason: { code: "wifi_no_adapter" } });
  expect(stages).toEqual(["keys", "codegen", "build", "flash", "boot", "join failed"]);
  expect(wifi.leave).toHaveBeenCalled();
});
