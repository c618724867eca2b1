import { afterEach, expect, it } from "vitest";
import { waitForBoot } from "../../cli/flow/boot.js";
import { silent } from "../../cli/terminal/progress.js";
import { longer } from "../helpers/longer.js";
import { serialBoard } from "../helpers/serial-board.js";
import type { VirtualSerial } from "../support/virtual-serial.js";

const SETTLED = "I (9000) prov: state CHECK_PROVISIONING -> AP_MODE\r\n";
let talking: NodeJS.Timeout | undefined;
afterEach(() => clearInterval(talking));

function wait({ port }: VirtualSerial, times: { timeoutMs: number; firstBootMs?: number }) {
  const signal = new AbortController().signal;
  return waitForBoot({ port }, { ...times, signal, progress: silent, secrets: [] });
}

it("a first boot that burns eFuses is watched, not reset", async () => {
  const board = await serialBoard();
  const { front, boots } = board;
  expect(boots).toEqual(["app"]);
  talking = setInterval(() => front.write(SETTLED), 20);
  const booted = await wait(board, { timeoutMs: longer(5_000), firstBootMs: longer(60_000) });
  expect(booted.phase).toBe("waiting");
  expect(boots).toEqual(["app"]);
});

it("one that said it before anybody listened is reset when its time is over", async () => {
  const board = await serialBoard();
  const { front, boots } = board;
  talking = setInterval(() => {
    if (boots.length > 1) front.write(SETTLED);
  }, 20);
  const booted = await wait(board, { timeoutMs: longer(60_000), firstBootMs: 300 });
  expect(booted.phase).toBe("waiting");
  expect(boots).toEqual(["app", "app"]);
});

it("a board that never settles is a boot_timeout", async () => {
  const board = await serialBoard();
  const timeoutMs = longer(1_000);
  await expect(wait(board, { timeoutMs })).rejects.toMatchObject({
    code: "boot_timeout",
    message: expect.stringContaining(
      `AP_MODE within ${timeoutMs / 1000} s; its last line: I (400) prov`,
    ),
  });
});
