import { describe, expect, it } from "vitest";
import { createTokenStore } from "../../cli/lab/backend/tokens.js";

describe("the token store", () => {
  it("spends a token when it is redeemed, not when it is checked", () => {
    const store = createTokenStore();
    const token = store.issue("dev-1");
    expect(store.check(token, "dev-1", "csr-a").kind).toBe("valid");
    const verdict = store.check(token, "dev-1", "csr-b");
    if (verdict.kind === "valid") verdict.redeem("certificate");
    expect(store.check(token, "dev-1", "csr-a")).toEqual({ kind: "spent" });
    expect(store.check(token, "dev-1", "csr-b")).toEqual({
      kind: "repeated",
      answer: "certificate",
    });
  });

  it.each([
    ["at once", 0, 10_000],
    ["shortly before its time is up", 9_500, 10_500],
  ])("repeats the answer to a token that was spent %s as long as it lives", (_when, spent, end) => {
    let now = 0;
    const store = createTokenStore({ lifetimeMs: 10_000, leastRepeatMs: 1_000, now: () => now });
    const token = store.issue("dev-1");
    now = spent;
    const verdict = store.check(token, "dev-1", "csr");
    if (verdict.kind === "valid") verdict.redeem("certificate");
    now = end - 1;
    expect(store.check(token, "dev-1", "csr").kind).toBe("repeated");
    now = end;
    expect(store.check(token, "dev-1", "csr").kind).toBe("spent");
  });

  it("repeats no answer to a device that has been seen with its certificate", () => {
    const store = createTokenStore();
    const tokens = { mine: store.issue("dev-1"), other: store.issue("dev-2") };
    for (const [token, device] of [
      [tokens.mine, "dev-1"],
      [tokens.other, "dev-2"],
    ] as const) {
      const verdict = store.check(token, device, "csr");
      if (verdict.kind === "valid") verdict.redeem("certificate");
    }
    store.settle("dev-1");
    expect(store.check(tokens.mine, "dev-1", "csr").kind).toBe("spent");
    expect(store.check(tokens.other, "dev-2", "csr").kind).toBe("repeated");
  });

  it("lets a token expire", () => {
    let now = 1_000_000;
    const store = createTokenStore({ lifetimeMs: 1_000, now: () => now });
    const token = store.issue("dev-1");
    now += 1_000;
    expect(store.check(token, "dev-1", "csr").kind).toBe("expired");
  });

  it("tells an unknown token from another device's", () => {
    const store = createTokenStore();
    const token = store.issue("dev-1");
    expect(store.check(`${token}x`, "dev-1", "csr").kind).toBe("unknown");
    expect(store.check("", "dev-1", "csr").kind).toBe("unknown");
    expect(store.check(token, "dev-2", "csr").kind).toBe("foreign");
    expect([store.knows(token), store.knows("other")]).toEqual([true, false]);
  });

  it("makes tokens that are long, different and safe in a header", () => {
    const store = createTokenStore();
    const tokens = new Set(Array.from({ length: 100 }, () => store.issue("dev-1")));
    expect(tokens.size).toBe(100);
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});
