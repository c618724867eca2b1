import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { runCommand, SECRET_PATH } from "../../cli/wifi/command.js";
import { nmcliError } from "../../cli/wifi/nmcli-errors.js";
import { nmcliFixture } from "./fixtures/nmcli.js";

describe.skipIf(process.platform === "win32")("running a command", () => {
  test("the secret is readable by the child and leaves no file", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("prov-secret-"));
    const script = `cat ${SECRET_PATH}; ls -l ${SECRET_PATH} | cut -c1-1; tr '\\0' ' ' </proc/$$/cmdline`;
    const result = await runCommand({ file: "sh", args: ["-c", script], secret: "hush-hush" });
    expect(result.code).toBe(0);
    expect(result.stdout.match(/hush-hush/g)).toHaveLength(1);
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith("prov-secret-"));
    expect(after).toEqual(before);
  });

  test("children speak English whatever the user's locale is", async () => {
    const result = await runCommand({ file: "sh", args: ["-c", "echo $LC_ALL"] });
    expect(result.stdout).toBe("C\n");
  });

  test("stdin, stdout, stderr and the status are passed on", async () => {
    const args = ["-c", "cat; echo oops >&2; exit 3"];
    const result = await runCommand({ file: "sh", args, stdin: "in" });
    expect(result).toEqual({ code: 3, stdout: "in", stderr: "oops\n" });
  });

  test("lines are told as they come, and an abort ends the child", async () => {
    const stop = new AbortController();
    const running = runCommand({
      file: "sh",
      args: ["-c", "echo first; exec sleep 600"],
      onLine: (line) => {
        if (line === "first") stop.abort(new Error("enough"));
      },
      signal: stop.signal,
    });
    await expect(running).rejects.toThrow("enough");
  });

  test("a program that is not there", async () => {
    const running = runCommand({ file: "prov-no-such-program", args: [] });
    await expect(running).rejects.toMatchObject({
      code: "tool_missing",
      exitCode: 10,
      hint: expect.stringContaining("--url http://192.168.4.1"),
    });
  });
});

describe("nmcli's failures", () => {
  test.each([
    ["up-wrong-password", "ap_lost"],
    ["up-no-password", "ap_wrong_password"],
    ["up-no-dhcp", "ap_no_dhcp"],
    ["up-gone", "ap_not_found"],
    ["up-unknown", "wifi_failed"],
    ["up-not-permitted", "wifi_not_permitted"],
    ["add-not-permitted", "wifi_not_permitted"],
    ["devices-no-service", "wifi_service_down"],
    ["devices-no-dbus", "wifi_service_down"],
    ["show-unknown-device", "wifi_no_adapter"],
    ["rescan-unknown-device", "wifi_no_adapter"],
  ])("%s is %s", (fixture, code) => {
    expect(nmcliError(nmcliFixture(fixture), "testing")).toMatchObject({ code });
  });

  test("an unknown message is passed on, not guessed at", () => {
    const result = { code: 1, stdout: "", stderr: "Error: The moon is in the way.\n" };
    expect(nmcliError(result, "connecting")).toMatchObject({
      code: "wifi_failed",
      message: "nmcli failed while connecting: The moon is in the way.",
    });
  });
});
