import { describe, expect, it } from "vitest";
import { ssidDigest } from "../../cli/device/ssid-digest.js";
import { ProvError } from "../../cli/errors.js";
import { type AlreadyOnlineRequest, onlineAlready } from "../../cli/flow/online-already.js";
import type { Outcome } from "../../cli/flow/outcome.js";
import { silent } from "../../cli/terminal/progress.js";
import { DEFAULT_MANIFEST } from "../golden/golden-device.js";

const OUTCOME: Outcome = {
  reached: "mqtt",
  evidence: [{ witness: "broker", milestone: "mqtt", detail: "devices/plain/status" }],
  unheard: [],
};
const HOME = ssidDigest(DEFAULT_MANIFEST.id, "Home");

function request(more: Partial<AlreadyOnlineRequest> = {}): AlreadyOnlineRequest {
  return {
    manifest: DEFAULT_MANIFEST,
    credentials: { ssid: "Home", password: "p", token: "t" },
    signal: new AbortController().signal,
    progress: silent,
    ...more,
  };
}

function refusal(more: Partial<AlreadyOnlineRequest>, network?: string): ProvError {
  try {
    onlineAlready(request(more), { outcome: OUTCOME, ...(network ? { network } : {}) });
  } catch (error) {
    if (error instanceof ProvError) return error;
  }
  throw new Error("it was taken for what was asked");
}

describe("a device that is online already", () => {
  it("on the network that was asked for needs nothing, and what was given is named", () => {
    const warnings: string[] = [];
    const progress = { ...silent, warn: (text: string) => void warnings.push(text) };
    const board = onlineAlready(request({ progress }), { outcome: OUTCOME, network: HOME });
    expect(board.alreadyOnline).toEqual({ notUsed: ["password", "token"] });
    expect(warnings.join()).toContain("(password, token)");
  });

  it("on an open network with nothing given leaves nothing unused", () => {
    const credentials = { ssid: "Home", password: "" };
    const board = onlineAlready(request({ credentials }), { outcome: OUTCOME, network: HOME });
    expect(board.alreadyOnline).toEqual({ notUsed: [] });
  });

  it.each([
    ["another network", "Elsewhere"],
    ["one whose name differs in case alone", "HOME"],
    ["one whose name has a blank more", "Home "],
  ])("on %s is an error, which names how to reset it", (_what, ssid) => {
    const network = ssidDigest(DEFAULT_MANIFEST.id, ssid);
    const error = refusal({ port: "/dev/ttyACM7" }, network);
    expect([error.code, error.exitCode]).toEqual(["online_elsewhere", 7]);
    expect(error.hint).toContain("prov reset --scope all --port /dev/ttyACM7");
    expect(error.details).toEqual({ evidence: OUTCOME.evidence });
  });

  it("with a digest that is another device's is not taken for this one's", () => {
    expect(refusal({}, ssidDigest("other", "Home")).code).toBe("online_elsewhere");
  });

  it("whose firmware does not tell the network is an error of its own", () => {
    const error = refusal({});
    expect([error.code, error.exitCode]).toEqual(["online_unverified", 7]);
    expect(error.message).toContain("nothing was sent to it");
    expect(error.hint).toContain("BOOT button");
  });
});
